"""With the database away everything public is read, and nothing withdrawn comes back."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from wagtail.documents.models import Document

from cms import following, keeping, kept, middleware, snapshot, standby
from cms.kept import Kept
from cms.middleware import PublicSiteMiddleware
from cms.models import ProgressPage, SiteFrame, TextPage
from cms.views import XLSX
from supervision.models import Demonstration, public_set_key
from supervision.services import releases as services
from tests.cms.world import crawl, text_of
from tests.factories import NOON

pytestmark = pytest.mark.django_db
PLACE = "http-testserver"


def reader() -> Client:
    """A reader met by a process that remembers nothing."""
    return Client(raise_request_exception=False)


def test_what_nobody_has_asked_for_is_read_while_the_database_is_away(
    client, world, publish, keeping_pages, away
):
    """Each page, filter, search and download, byte for byte as with the database."""
    publish(world.document)
    addresses = [
        "/progress/?status=overdue",
        "/progress/?by=county&sort=time",
        "/elder/progress/?q=%E7%A0%94%E5%8F%91",
        "/search/?q=%E9%99%A2%E5%A3%AB",
        "/search/?q=%E6%9F%A5%E6%97%A0%E6%AD%A4%E4%BA%8B&sort=time",
        "/progress/items.csv?status=done_late",
        "/sitemap.xml",
        *crawl(client),
    ]
    before = {address: reader().get(address) for address in addresses}
    for file in kept.addresses(PLACE):
        file.unlink()
    away()

    for address, answer in before.items():
        again = reader().get(address)
        assert again.status_code == answer.status_code == 200, address
        assert text_of(again) == text_of(answer), address
    assert len(before) > 40


def test_reading_never_waits_for_the_database(
    client, world, publish, keeping_pages, django_assert_num_queries
):
    """Not a statement, kept or not: a database that hangs holds nobody up."""
    publish(world.document)
    addresses = ["/progress/?status=overdue", "/search/?q=%E9%99%A2%E5%A3%AB", *crawl(client)]
    for file in kept.addresses(PLACE):
        file.unlink()
    # What a process remembers for some minutes it will have forgotten.
    cache.clear()

    with django_assert_num_queries(0):
        for address in addresses:
            assert reader().get(address).status_code == 200, address
        assert reader().get("/progress/0123456789/").status_code == 404
        assert reader().get("/nobody/was/here/").status_code == 404
        assert reader().get("/progress/?unknown=1").status_code == 404
    assert len(addresses) > 40


def test_a_withdrawn_item_answers_410_and_is_in_no_list_while_the_database_is_away(
    client, world, publish, withdraw, keeping_pages, away
):
    publish(world.document)
    keeping.keep_all()
    public = world.overdue.item.public_item
    named = [a for a, (_s, text) in crawl(client).items() if public.slug in text]
    assert len(named) > 8
    withdraw(public_item=public)
    away()

    for address in named:
        answer = reader().get(address)
        own = public.slug in address
        assert answer.status_code == (410 if own else 200), address
        assert public.slug not in text_of(answer), address
        assert public.item.title not in text_of(answer), address
    assert reader().get("/progress/0123456789/").status_code == 404


def test_the_standby_is_of_its_stamp_only_and_nobody_elses(world, publish, keeping_pages, away):
    publish(world.document)
    assert standby.load().public.entries
    file = kept.folder() / "standby"
    own = file.read_bytes()
    standby.forget()

    file.write_bytes(own.replace(b"\n", b"\nx", 1))
    assert standby.load() is None
    file.write_bytes(own)
    assert standby.load() is not None
    old = standby.load()
    kept.new_stamp()
    assert standby.load() is None
    assert standby.keep(old) is False
    away()
    with pytest.raises(DatabaseError):
        snapshot.current()


def test_an_editors_word_is_read_at_once_while_the_database_is_away(
    world, publish, keeping_pages, away, django_capture_on_commit_callbacks
):
    """Not only after the worker's next tick."""
    publish(world.document)
    about = TextPage.objects.get(slug="about")
    frame = SiteFrame.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        about.title = "关于本栏目"
        about.body = [("text", "<p>每月十日更新。</p>")]
        about.save_revision().publish()
        frame.contact = "0318-0000000"
        frame.save()
    away()

    answer = reader().get("/about/")
    assert answer.status_code == 200
    for word in ("关于本栏目", "每月十日更新。", "0318-0000000"):
        assert word in text_of(answer)
    assert reader().get("/progress/?status=done_late").status_code == 200


def test_links_in_words_lead_to_pages_and_documents_without_the_database(
    client, world, publish, keeping_pages, away, django_capture_on_commit_callbacks, settings
):
    """By the same addresses as with it; without one to a page that is not public."""
    publish(world.document)
    Demonstration.objects.create(loaded_at=NOON, today_date=NOON.date())
    page, about = ProgressPage.objects.get(), TextPage.objects.get(slug="about")
    hidden = about.add_sibling(instance=TextPage(title="未公开", slug="hidden", live=False))
    with django_capture_on_commit_callbacks(execute=True):
        paper = Document.objects.create(title="办法", file=ContentFile(b"%PDF", name="办法.pdf"))
        page.method = (
            f'<p><a linktype="page" id="{about.pk}">关于</a>'
            f'<a linktype="page" id="{hidden.pk}">未公开</a>'
            f'<a linktype="document" id="{paper.pk}">办法</a></p>'
        )
        page.save_revision().publish()
    away()

    shown = text_of(reader().get("/progress/?status=overdue"))

    assert '<a href="/about/">关于</a><a>未公开</a>' in shown
    assert f'<a href="{paper.url}">办法</a>' in shown
    assert "演示" in shown


def test_links_are_alike_with_the_database(client, world, publish):
    publish(world.document)
    page, about = ProgressPage.objects.get(), TextPage.objects.get(slug="about")
    hidden = about.add_sibling(instance=TextPage(title="未公开", slug="hidden", live=False))
    page.method = (
        f'<p><a linktype="page" id="{about.pk}">关于</a>'
        f'<a linktype="page" id="{hidden.pk}">未公开</a></p>'
    )
    page.save_revision().publish()

    shown = text_of(reader().get("/progress/?status=overdue"))

    assert '<a href="/about/">关于</a><a>未公开</a>' in shown


def test_a_word_is_public_even_if_the_standby_cannot_be_written(
    world, publish, keeping_pages, monkeypatch, django_capture_on_commit_callbacks
):
    def full() -> None:
        raise OSError("no space left on device")

    publish(world.document)
    monkeypatch.setattr(following, "keep_standby", full)
    with django_capture_on_commit_callbacks(execute=True):
        about = TextPage.objects.get(slug="about")
        about.title = "关于本栏目"
        about.save_revision().publish()

    assert "关于本栏目" in text_of(reader().get("/about/"))


def test_the_file_holds_no_word_that_is_withdrawn(world, publish, withdraw, keeping_pages):
    publish(world.document)
    item = world.overdue.item
    assert item.title.encode() in (kept.folder() / "standby").read_bytes()

    withdraw(public_item=item.public_item)

    content = (kept.folder() / "standby").read_bytes()
    assert item.title.encode() not in content
    assert world.on_track.item.title.encode() in content


def test_what_writes_never_reads_the_standby(world, publish, keeping_pages, away):
    publish(world.document)
    away()

    assert snapshot.current().entries
    with pytest.raises(DatabaseError):
        snapshot.read()
    with pytest.raises(DatabaseError):
        following.forget_withdrawn()


@pytest.mark.parametrize("moment", ["before the stamp", "before the forgetting", "after all"])
def test_a_page_rendered_during_a_withdrawal_is_not_kept(
    client, world, publish, withdraw, keeping_pages, away, monkeypatch, moment
):
    """The page was read from the database before the withdrawal and is written at a bad moment."""
    publish(world.document)
    public = world.overdue.item.public_item
    path = f"/progress/{public.slug}/"
    # What a slow process holds in its hands: item and list, rendered for the stamp before.
    slow = {address: client.get(address).content for address in (path, "/progress/", "/")}
    stamp = kept.stamp()
    assert all(public.slug.encode() in body for body in slow.values())
    results = []

    def finish() -> None:
        if moment != "after all" and results:
            return
        for address, body in slow.items():
            page = Kept(stamp, 200, {"Content-Type": "text/html"}, body)
            results.append(kept.write(PLACE, address, "", page))

    new_stamp, forget = kept.new_stamp, kept.forget

    def stamped() -> str:
        if moment == "before the stamp":
            finish()
        return new_stamp()

    def forgotten(words) -> int:
        if moment == "before the forgetting":
            finish()
        return forget(words)

    monkeypatch.setattr(kept, "new_stamp", stamped)
    monkeypatch.setattr(kept, "forget", forgotten)
    withdraw(public_item=public)
    if moment == "after all":
        finish()

    # Before the stamp it is kept, and taken away; afterwards it is refused.
    assert results == [moment == "before the stamp"] * 3
    for file in kept.addresses(PLACE):
        page = kept.read_file(file)
        assert page.status == 410 or public.slug.encode() not in page.body, file.name
    away()
    assert reader().get(path).status_code == 410
    for address in ("/progress/", "/"):
        answer = reader().get(address)
        assert answer.status_code == 200
        assert public.slug not in answer.content.decode()


def test_writers_and_withdrawals_at_once_leave_nothing_behind(keeping_pages):
    """Four processes' worth of threads write a page that names an item; it is withdrawn meanwhile.

    Whatever the order of the two, no file that names it is left. Without the lock, or with the
    stamp compared before the rendering only, some round fails.
    """
    for number in range(40):
        slug = f"{number:010d}"
        stamp = kept.new_stamp()
        start = threading.Barrier(5)

        def write(name: int, slug=slug, stamp=stamp, start=start) -> None:
            page = Kept(stamp, 200, {"Content-Type": "text/html"}, slug.encode())
            start.wait()
            for turn in range(5):
                kept.write(PLACE, f"/list-{name}-{turn}/", "", page)

        def withdrawn(slug=slug, start=start) -> None:
            start.wait()
            kept.new_stamp()
            kept.forget([slug])

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        threads.append(threading.Thread(target=withdrawn))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        left = [f for f in kept.addresses(PLACE) if slug.encode() in kept.read_file(f).body]
        assert left == [], number


def test_words_in_any_form_are_forgotten_and_neutral_pages_stay(keeping_pages):
    stamp = kept.stamp()

    def keep(path: str, body: str, kind: str = "text/html; charset=utf-8", status: int = 200):
        kept.write(PLACE, path, "", Kept(stamp, status, {"Content-Type": kind}, body.encode()))

    keep("/a/", "<a>研发 &amp; 应用</a>")
    keep("/b.csv", "研发 & 应用", "text/csv")
    keep("/c.xlsx", "PK", XLSX)
    keep("/d/", "别的")
    keep("/progress/0011223344/", "已撤回", status=410)

    assert kept.forget(["研发 & 应用", "0011223344"]) == 3
    assert [f.name.split("~")[0] for f in kept.addresses(PLACE)] == ["+d+", "+progress+0011223344+"]
    assert kept.forget([]) == 0


def test_a_release_whose_process_ended_too_early_is_followed_by_the_worker(
    city, client, world, publish, keeping_pages
):
    """Killed between the commit and what follows: the callbacks of the commit never ran."""
    publish(world.document)
    keeping.keep_all()
    public = world.overdue.item.public_item
    services.withdraw_item(
        public_item=public, by=city.reviewer, at=NOON + timedelta(minutes=5), reason="有误"
    )
    assert kept.marked(following.FOLLOWED) != public_set_key()

    assert keeping.keep_all(is_forced=False).rendered > 8

    assert kept.marked(following.FOLLOWED) == public_set_key()
    assert client.get(f"/progress/{public.slug}/").status_code == 410
    assert following.catch_up() is False
    assert keeping.keep_all(is_forced=False).rendered == 0


def test_older_pages_serve_for_a_moment_only_and_never_past_a_new_stamp(keeping_pages, monkeypatch):
    """After a failure one request a second tries; a new public set is tried at once."""
    clock, answers, asked = [100.0], [500, 500, 200], []
    monkeypatch.setattr(middleware.time, "monotonic", lambda: clock[0])

    def inner(request):
        asked.append(request.path)
        status = answers.pop(0)
        return HttpResponse("new" if status == 200 else "failed", status=status)

    site = PublicSiteMiddleware(inner)
    kept.write(PLACE, "/", "", Kept(kept.stamp(), 200, {"Content-Type": "text/html"}, b"old"))

    def get() -> bytes:
        return site(RequestFactory().get("/")).content

    kept.new_stamp()
    assert (get(), len(asked)) == (b"old", 1)
    assert (get(), len(asked)) == (b"old", 1)
    clock[0] += middleware.PATIENCE_SECONDS
    assert (get(), len(asked)) == (b"old", 2)
    assert (get(), len(asked)) == (b"old", 2)
    kept.new_stamp()
    assert (get(), len(asked)) == (b"new", 3)
    assert (get(), len(asked)) == (b"new", 3)
