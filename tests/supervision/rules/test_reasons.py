from datetime import date
from decimal import Decimal

import pytest
from django.utils.translation import override

from supervision.rules.escalation import SHIP_LADDER
from supervision.rules.lights import Reason
from supervision.rules.reasons import TEXTS, describe, level_name

DAY = date(2026, 11, 5)


@pytest.mark.parametrize(
    ("code", "params", "expected"),
    [
        ("due_in", {"days": 3, "date": DAY}, "还剩3个工作日"),
        ("due_in", {"days": 0, "date": DAY}, "至时限2026-11-05已无工作日"),
        ("due_today", {}, "今日到期"),
        ("overdue", {"days": 4}, "逾期4天"),
        ("behind", {"gap": Decimal("12.5")}, "落后序时进度12.5个百分点"),
        ("ahead", {"gap": 3}, "超序时进度3个百分点"),
        (
            "milestone_missed",
            {"title": "完成立项", "date": DAY},
            "节点“完成立项”（计划2026-11-05完成）未按期完成",
        ),
        ("months_missed", {"months": 3}, "连续3个月未按期完成节点"),
        ("stale", {"last_date": DAY}, "近期无报告，最近一次报送为2026-11-05"),
        ("stale", {"last_date": None}, "近期无报告"),
        ("never_reported", {}, "尚未报送进展"),
        ("suspended", {"since": DAY, "basis": "纪要12号"}, "自2026-11-05起中止，依据：纪要12号"),
        ("suspended", {"since": DAY, "basis": ""}, "自2026-11-05起中止"),
        ("not_dispatched", {}, "尚未交办"),
        ("completed", {"date": DAY}, "2026-11-05办结"),
        ("completed_late", {"date": DAY, "days": 2}, "2026-11-05办结，逾期2天"),
        ("on_track", {}, "正常推进"),
        ("shares_overdue", {"count": 2}, "另有2家责任单位逾期"),
        ("shares_behind", {"count": 1}, "另有1家责任单位进度滞后或临期"),
        ("shares_open", {"count": 5}, "另有5家责任单位尚在办理"),
        ("ladder_gap", {"number": 2}, "缺少第2级：升级须逐级进行"),
    ],
)
def test_every_reason_is_a_chinese_sentence(code, params, expected):
    with override("zh-hans"):
        assert describe(Reason(code, params)) == expected


def test_a_date_read_back_from_json_is_shown_as_it_is():
    with override("zh-hans"):
        assert describe(Reason("completed", {"date": "2026-11-05"})) == "2026-11-05办结"


@pytest.mark.parametrize("code", TEXTS)
def test_every_text_is_translated(code):
    with override("zh-hans"):
        assert any("一" <= character <= "鿿" for character in str(TEXTS[code]))


def test_an_unknown_code_is_an_error():
    with pytest.raises(KeyError):
        describe(Reason("nonsense"))


def test_names_of_levels():
    with override("zh-hans"):
        assert [level_name(level.code) for level in SHIP_LADDER] == [
            "提前提醒",
            "到期提醒",
            "一次催办（蓝单）",
            "二次催办（黄单）",
            "红单或通报",
            "约谈",
            "问责建议",
        ]
        assert level_name("own", "三次催办") == "三次催办"
