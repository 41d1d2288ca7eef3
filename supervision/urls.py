"""Addresses of the workbench. Identifiers are opaque; a number never authorises."""

from django.urls import path

from supervision.views import (
    account,
    assignments,
    audit,
    body,
    calendar,
    clocks,
    deputies,
    documents,
    feeds,
    files,
    guides,
    handovers,
    help,
    home,
    item_milestones,
    items,
    ledger,
    ledgers,
    letters,
    matrix,
    organizations,
    packs,
    releases,
    reports,
    returns,
    reviews,
    rules,
    saved_views,
    search,
    sections,
    tables,
    timeline,
    workbooks,
)
from supervision.views.components import components

app_name = "supervision"

# The office, leaders, publishers
office_urls: list = [
    path("", home.home, name="home"),
    path("items/", items.items, name="items"),
    path("items/new/", items.item_new, name="item_new"),
    path("items/bulk/", items.items_dispatch, name="items_dispatch"),
    path("items/<uuid:uid>/", items.item, name="item"),
    path("items/<uuid:uid>/edit/", items.item_edit, name="item_edit"),
    path("items/<uuid:uid>/milestones/", item_milestones.item_milestones, name="item_milestones"),
    path("items/<uuid:uid>/<slug:act>/", items.item_act, name="item_act"),
    path("matrix/", matrix.matrix, name="matrix"),
    path("instructions/", home.instruct, name="instruct"),
    path("timeline/", timeline.timeline, name="timeline"),
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/<slug:queue>/together/", reviews.reviews_bulk, name="reviews_bulk"),
    path("reviews/<slug:queue>/<uuid:uid>/", reviews.review, name="review"),
    path("reviews/<slug:queue>/<uuid:uid>/<slug:act>/", reviews.review_act, name="review_act"),
    path("clocks/", clocks.clocks, name="clocks"),
    path("documents/", documents.documents, name="documents"),
    path("documents/<uuid:uid>/", documents.document, name="document"),
    path("documents/<uuid:uid>/<slug:act>/", documents.document_act, name="document_act"),
    path("releases/", releases.releases, name="releases"),
    path("releases/propose/", releases.release_propose, name="release_propose"),
    path("releases/months/<slug:label>/", releases.release_month, name="release_month"),
    path(
        "releases/months/<slug:label>/<slug:act>/",
        releases.release_month_act,
        name="release_month_act",
    ),
    path(
        "releases/openness/<uuid:uid>/",
        releases.openness_review,
        name="openness_review",
    ),
    path("releases/<uuid:uid>/", releases.release, name="release"),
    path("releases/<uuid:uid>/edit/", releases.release_edit, name="release_edit"),
    path("releases/<uuid:uid>/<slug:act>/", releases.release_act, name="release_act"),
    path("audit/", audit.audit, name="audit"),
]

# What the office sets for itself
settings_urls: list = [
    path("settings/", rules.settings, name="settings"),
    path("settings/ladder/", rules.ladder, name="ladder"),
    path("settings/limits/", rules.limits, name="limits"),
    path("settings/lights/", rules.lights, name="lights"),
    path("settings/organizations/", organizations.organizations, name="organizations"),
    path(
        "settings/organizations/change/",
        organizations.organizations_change,
        name="organizations_change",
    ),
    path("settings/lights/<slug:code>/", rules.light_scheme, name="light_scheme"),
]

# Bureaus and counties
body_urls: list = [
    path("sign-in/", account.SignIn.as_view(), name="sign_in"),
    path("sign-out/", account.SignOut.as_view(), name="sign_out"),
    path("password/", account.PasswordChange.as_view(), name="password"),
    path("deputies/", deputies.deputies, name="deputies"),
    path("deputies/<uuid:uid>/end/", deputies.deputy_end, name="deputy_end"),
    path("deputies/<uuid:uid>/act/", deputies.stand_in, name="stand_in"),
    path("deputies/stop/", deputies.stand_down, name="stand_down"),
    path("handovers/", handovers.handovers, name="handovers"),
    path("handovers/<uuid:uid>/", handovers.handover, name="handover"),
    path("handovers/<uuid:uid>/<slug:act>/", handovers.handover_act, name="handover_act"),
    path("sections/", sections.sections, name="sections"),
    path("calendar-feed/", feeds.calendar_feed, name="calendar_feed"),
    path("calendar/<str:token>.ics", feeds.calendar_ics, name="calendar_ics"),
    path("mine/", body.body_home, name="mine"),
    path("mine/accept/", body.accept_chosen, name="accept_chosen"),
    path("mine/release/", body.release_chosen, name="release_chosen"),
    path("assignments/<uuid:uid>/", assignments.assignment, name="assignment"),
    path("assignments/<uuid:uid>/<slug:act>/", assignments.assignment_act, name="assignment_act"),
    path("milestones/<uuid:uid>/<slug:act>/", assignments.milestone_act, name="milestone_act"),
    path("extensions/<uuid:uid>/<slug:act>/", assignments.extension_act, name="extension_act"),
    path("objections/<uuid:uid>/<slug:act>/", assignments.objection_act, name="objection_act"),
    path("periods/<uuid:uid>/<slug:act>/", assignments.period_act, name="period_act"),
    path("do/<slug:family>/<uuid:uid>/<slug:act>/", assignments.act_form, name="act_form"),
    path("help/<uuid:uid>/", help.help_request, name="help_request"),
    path("help/<uuid:uid>/<slug:act>/", help.help_act, name="help_act"),
    path("returns/", returns.returns, name="returns"),
    path("returns/<slug:label>/", returns.returns_of, name="returns_of"),
    path("returns/<slug:label>/<uuid:uid>/draft/", returns.return_draft, name="return_draft"),
    path("reports/<uuid:uid>/", reports.report, name="report"),
    path("reports/<uuid:uid>/<slug:act>/", reports.report_act, name="report_act"),
    path("files/<uuid:uid>/", files.file, name="file"),
]

# Letters
letter_urls: list = [
    path("letters/", letters.letters, name="letters"),
    path("letters/circular/", letters.letter_circular, name="letter_circular"),
    path("letters/<uuid:uid>/", letters.letter, name="letter"),
    path("letters/<uuid:uid>/letter.docx", letters.letter_docx, name="letter_docx"),
    path("letters/<uuid:uid>/<slug:act>/", letters.letter_act, name="letter_act"),
    path("settings/letters/", letters.letter_templates, name="letter_templates"),
    path("settings/letters/<slug:kind>/", letters.letter_template, name="letter_template"),
]

# Finding again
finding_urls: list = [
    path("search/", search.search, name="search"),
    path("views/", saved_views.saved_views, name="saved_views"),
    path("views/<uuid:uid>/<slug:act>/", saved_views.saved_view_act, name="saved_view_act"),
]

# Workbooks
spreadsheet_urls: list = [
    path("ledger/", ledger.ledger, name="ledger"),
    path("ledger.xlsx", ledger.ledger_xlsx, name="ledger_xlsx"),
    path("ledgers/", ledgers.ledgers, name="ledgers"),
    path("ledgers.xlsx", ledgers.ledgers_xlsx, name="ledgers_xlsx"),
    path("exports/", ledgers.exports, name="exports"),
    path("exports/<uuid:uid>.xlsx", ledgers.export_file, name="export_file"),
    path("exports/<uuid:uid>/<slug:act>/", ledgers.export_act, name="export_act"),
    path("packs/", packs.packs, name="packs"),
    path("packs/<uuid:uid>/", packs.pack_file, name="pack_file"),
    path("tables/", tables.tables, name="tables"),
    path("tables/preview/", tables.tables_preview, name="tables_preview"),
    path("tables/apply/", tables.tables_apply, name="tables_apply"),
    path("workbook/", workbooks.workbook, name="workbook"),
    path("workbook/preview/", workbooks.workbook_preview, name="workbook_preview"),
    path("workbook/apply/", workbooks.workbook_apply, name="workbook_apply"),
    path("workbook/<slug:label>.xlsx", workbooks.workbook_xlsx, name="workbook_xlsx"),
]

# The working calendar
calendar_urls: list = [
    path("settings/calendar/", calendar.calendar, name="calendar"),
    path("settings/calendar/load/", calendar.calendar_load, name="calendar_load"),
    path("settings/calendar/<uuid:uid>/", calendar.calendar_notice, name="calendar_notice"),
    path("settings/calendar/<uuid:uid>/<slug:act>/", calendar.calendar_act, name="calendar_act"),
    path("calendar/moves/", calendar.calendar_moves, name="calendar_moves"),
    path("why/<slug:field>/<uuid:uid>/", calendar.why_date, name="why_date"),
]

urlpatterns = [
    path("components/", components, name="components"),
    path("guides/", guides.guides, name="guides"),
    path("guides/<slug:duty>/", guides.guide, name="guide"),
    *office_urls,
    *settings_urls,
    *body_urls,
    *letter_urls,
    *finding_urls,
    *spreadsheet_urls,
    *calendar_urls,
]
