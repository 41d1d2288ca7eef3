"""The living page of the visual language: each component in every state, on invented data."""

from dataclasses import dataclass
from datetime import date, datetime

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from supervision import charts


@dataclass(frozen=True)
class Choice:
    """What filters, tabs, navigation and breadcrumbs are made of."""

    label: str
    url: str = "#"
    count: int | None = None
    is_active: bool = False
    is_current: bool = False


class SampleForm(forms.Form):
    """Every kind of row; sent empty it shows every kind of mistake."""

    title = forms.CharField(label=_("Name of the matter"), help_text=_("As it reads in the paper."))
    value = forms.DecimalField(label=_("Value reached"), min_value=0)
    due_date = forms.DateField(label=_("Due date"), help_text=_("Such as 2026-11-05"))
    cause = forms.ChoiceField(
        label=_("Cause class"),
        choices=[("funds", "资金未到位"), ("approval", "审批未办结"), ("other", "其他")],
        widget=forms.RadioSelect,
    )
    body = forms.ChoiceField(label=_("Unit"), choices=[("", "请选择"), ("1", "市科学技术局")])
    text = forms.CharField(
        label=_("Progress this period"), widget=forms.Textarea(attrs={"rows": 4})
    )
    evidence = forms.FileField(label=_("Evidence"), required=False)
    is_open = forms.BooleanField(label=_("I have checked that nothing here is secret"))


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))


class DoneForm(forms.Form):
    actual_date = forms.DateField(label=_("Done on"))
    evidence_text = forms.CharField(
        label=_("What shows it"), widget=forms.Textarea(attrs={"rows": 2})
    )


LIGHTS = [
    {"code": "red", "text": "逾期3天"},
    {"code": "orange", "text": "逾期9天"},
    {"code": "yellow", "text": "临期 剩2天"},
    {"code": "blue", "text": "提醒 剩7个工作日"},
    {"code": "green", "text": "正常 剩41天"},
    {"code": "grey", "text": ""},
    {"code": "grey", "text": "近期无报告"},
    {"code": "suspended", "text": ""},
    {"code": "done", "text": ""},
    {"code": "done_late", "text": "逾期完成 晚6天"},
    {"code": "red", "text": "逾期12天", "mark": "近期无报告"},
]
SEGMENTS = [
    charts.Segment("逾期", 2, "red"),
    charts.Segment("临期", 3, "yellow"),
    charts.Segment("提醒", 2, "blue"),
    charts.Segment("正常", 7, "green"),
    charts.Segment("近期无报告", 2, "grey"),
    charts.Segment("中止", 1, "suspended"),
    charts.Segment("已完成", 3, "done"),
    charts.Segment("逾期完成", 2, "done_late"),
]
ROWS = [
    {
        "number": "督字〔2026〕1号",
        "title": "建设科技企业孵化器",
        "body": "市科学技术局",
        "light": {"code": "red", "text": "逾期3天"},
        "status": "待审核",
        "due_date": date(2026, 11, 19),
        "rate": 62,
        "rate_text": "62%",
    },
    {
        "number": "督字〔2026〕2号",
        "title": "高新技术企业培育",
        "body": "桃城区人民政府",
        "light": {"code": "yellow", "text": "临期 剩2天"},
        "status": "办理中",
        "due_date": date(2026, 11, 24),
        "rate": 80,
        "rate_text": "80%",
    },
    {
        "number": "督字〔2026〕3号",
        "title": "科技特派员下乡服务",
        "body": "市农业农村局",
        "light": {"code": "green", "text": "正常 剩41天"},
        "status": "办理中",
        "due_date": date(2026, 12, 31),
        "rate": 91.7,
        "rate_text": "91.7%",
    },
    {
        "number": "督字〔2026〕4号",
        "title": "知识产权质押融资",
        "body": "市市场监督管理局",
        "light": {"code": "done_late", "text": "逾期完成 晚6天"},
        "status": "已办结",
        "status_tone": "closed",
        "due_date": date(2026, 10, 31),
        "rate": 100,
        "rate_text": "100%",
    },
]


def sample_context() -> dict:
    """Everything the living page shows; fixed dates, so that its pictures can be compared."""
    moment = datetime(2026, 11, 22, 9, 30, tzinfo=timezone.get_default_timezone())
    broken_form = SampleForm(
        data={
            "broken-title": "建设科技企业孵化器",
            "broken-value": "-3",
            "broken-due_date": "昨天",
        },
        prefix="broken",
    )
    return {
        "crumbs": [Choice("首页"), Choice("事项台账"), Choice("建设科技企业孵化器", url="")],
        "lights": LIGHTS,
        "segments": SEGMENTS,
        "segment_total": sum(segment.count for segment in SEGMENTS),
        "filters": [
            Choice("全部", count=22),
            Choice("逾期", count=2, is_active=True),
            Choice("临期", count=3),
            Choice("近期无报告", count=0),
            Choice("仅看牵头"),
        ],
        "tabs": [
            Choice("基本情况", is_current=True),
            Choice("节点", count=6),
            Choice("进展报告", count=11),
            Choice("全部记录"),
        ],
        "rows": ROWS,
        "entries": [
            {
                "at": moment,
                "title": "退回进展报告",
                "by": "督查员 李明",
                "tone": "yellow",
                "text": "数值与上期相差较大，请补充说明原因。",
            },
            {"at": moment.replace(day=20), "title": "转为逾期", "by": "系统", "tone": "red"},
            {
                "at": moment.replace(day=18),
                "title": "提交进展报告",
                "by": "联络员 王芳",
                "tone": "blue",
            },
            {"date": date(2026, 9, 30), "title": "节点完成：完成选址", "tone": "done"},
            {"date": date(2026, 9, 1), "title": "签收", "by": "市科学技术局"},
        ],
        "form": SampleForm(prefix="sample"),
        "broken_form": broken_form,
        "reason_form": ReasonForm(prefix="return"),
        "cancel_form": ReasonForm(prefix="cancel"),
        "open_form": ReasonForm(data={"open-reason": ""}, prefix="open"),
        "dialog_form": DoneForm(prefix="done"),
        "bars": [
            {"label": "尚未开始", "value": 0, "text": "0%"},
            {"label": "督查台账导出", "value": 43, "text": "已写12,300行，共28,600行"},
            {"label": "全部完成", "value": 100, "text": "22 / 22"},
        ],
        "save_rows": [
            {"name": "尚未填写", "row": {"report": None}},
            {"name": "正在保存", "words": _("Saving…")},
            {"name": "已保存", "row": {"report": {"saved_at": moment, "filled_by": "王芳"}}},
            {
                "name": "他人先保存",
                "row": {
                    "report": {"saved_at": moment, "filled_by": "王芳", "version": 3},
                    "theirs": {"by": "刘洋", "texts": [("本期进展", "主体结构已封顶。")]},
                },
                "problems": ["刘洋已先保存这一行，请核对后再保存。"],
            },
            {
                "name": "提请注意",
                "row": {
                    "report": {"saved_at": moment, "filled_by": "王芳"},
                    "warnings": ["与上期文字有九成相同，请确认已写明新的进展。"],
                    "moves": ["高新技术企业数量：上期186家，本期120家"],
                },
            },
        ],
        "shortcuts": [("A", "通过"), ("B", "退回"), ("N", "下一件")],
        "saved_views": {
            "page": "items",
            "query": "light=red",
            "can_save": True,
            "can_share": True,
            "has_any": True,
            "chips": [Choice("逾期事项", is_active=True), Choice("本月到期（共享）")],
        },
        "end_pages": [
            ("分页：首页", Paginator(range(45), 20).page(1)),
            ("分页：末页", Paginator(range(45), 20).page(3)),
            ("分页：仅有一页", Paginator(range(5), 20).page(1)),
        ],
        "files": [
            {
                "name": "孵化器验收意见.pdf",
                "url": "#",
                "kind": "PDF",
                "size": 482133,
                "at": moment,
                "by": "王芳",
            },
            {
                "name": "十一月进展情况（含分县区明细表，盖章扫描件）.docx",
                "url": "#",
                "kind": "DOCX",
                "size": 91222,
                "at": moment,
                "by": "王芳",
            },
            {
                "name": "现场照片.jpg",
                "url": "",
                "kind": "JPG",
                "size": 2811020,
                "note": "正在检查，暂不能打开",
            },
        ],
        "page_obj": Paginator(range(286), 20).page(3),
        "as_of": moment,
        "signers": ["填报人：", "单位负责人：", "填报日期："],
        "stacked": charts.stacked_bar(SEGMENTS, title="22项督查事项的亮灯情况"),
        "stacked_one": charts.stacked_bar(SEGMENTS[3:4], title="全部正常"),
        "stacked_none": charts.stacked_bar([], title="没有事项"),
        "target": charts.target_bar(186, 300, title="高新技术企业数量", unit="家"),
        "target_over": charts.target_bar(120, 100, title="科技型中小企业", unit="家"),
        "target_none": charts.target_bar(None, 60, title="孵化面积", unit="万平方米"),
        "milestones": charts.milestone_line(
            [
                charts.MilestonePoint(
                    "完成选址", date(2026, 3, 31), date(2026, 3, 25), None, "done"
                ),
                charts.MilestonePoint(
                    "开工建设", date(2026, 6, 30), date(2026, 7, 20), None, "done_late"
                ),
                charts.MilestonePoint("主体完工", date(2026, 10, 31), None, date(2026, 9, 30)),
                charts.MilestonePoint("投入使用", date(2026, 12, 31)),
            ],
            title="节点计划与完成",
            today=date(2026, 11, 22),
        ),
        "trend": charts.trend(
            [
                charts.TrendPoint(label, value)
                for label, value in zip(
                    ["4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月"],
                    [41, 58, 77, 90, None, 131, 160, 186],
                    strict=True,
                )
            ],
            title="高新技术企业数量逐月变化",
            goal=200,
            unit="家",
        ),
    }


@login_required
@require_safe
def components(request):
    return render(request, "desk/components.html", sample_context())
