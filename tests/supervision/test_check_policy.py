"""`.ci/check-policy` passes on a true data file and fails on every changed fact."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "check-policy"
DATA = Path(__file__).parent / "data"
POLICY = (DATA / "yunxi-2025-7.yaml").read_text(encoding="utf-8")
TEXT = (DATA / "yunxi-2025-7.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script():
    loader = importlib.machinery.SourceFileLoader("check_policy", str(SCRIPT))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("check_policy", loader)
    )
    loader.exec_module(module)
    return module


@pytest.fixture
def run(script, tmp_path, capsys):
    """Run the check on this policy and this text: exit code and what was printed."""

    def run_it(policy: str, text: str) -> tuple[int, str]:
        (tmp_path / "policy.yaml").write_text(policy, encoding="utf-8")
        (tmp_path / "text.txt").write_text(text, encoding="utf-8")
        arguments = [str(tmp_path / "text.txt"), "--policy", str(tmp_path / "policy.yaml")]
        return script.main(arguments), capsys.readouterr().out

    return run_it


def test_a_true_file_passes(run):
    code, printed = run(POLICY, TEXT)
    assert (code, "0 differences" in printed) == (0, True), printed
    assert "bodies: 3 compared" in printed
    assert "figure: 5 compared" in printed


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("云政发〔2025〕7号", "云政发〔2025〕8号", "document number"),
        ("title: 云溪市人民政府关于推进", "title: 云溪市人民政府关于加快", "document title"),
        ("issuing_body: 云溪市人民政府", "issuing_body: 云溪市政府", "issuing body"),
        ("issued_date: 2025-03-18", "issued_date: 2025-03-19", "date of issue"),
        ("horizon_date: 2027-06-30", "horizon_date: 2028-06-30", "horizon"),
        ("[各街道办事处, 市政府各部门]", "[市政府各部门, 各街道办事处]", "addressees"),
        ("title: 街区面貌改善", "title: 街区面貌提升", "title"),
        ("title: 改造老旧管网", "title: 改造老旧管道", "title"),
        ("[市水务局, 市住建局, 各街道办事处]", "[市住建局, 市水务局, 各街道办事处]", "bodies"),
        ("[市水务局, 市住建局, 各街道办事处]", "[市水务局, 各街道办事处]", "bodies"),
        ("[市水务局, 市住建局, 各街道办事处]", "[市水务局, 市文旅局, 各街道办事处]", "bodies"),
        ("{name: 市住房城乡建设局,", "{name: 市住建局,", "bodies"),
        ("number: 二（三）", "number: 二（四）", "clause numbers"),
        ("value: 12.50", "value: 12.6", "figure"),
        ("unit: 公里", "unit: 万吨", "figure"),
        ("comparison: at_least", "comparison: reach", "figure"),
        ("comparison: decrease_by", "comparison: increase_by", "figure"),
        ('value: "8"', 'value: "9"', "figure"),
        ("figures_without_goal: [30万元]", "figures_without_goal: [31万元]", "without goal"),
        ("    figures_without_goal: [30万元]\n", "", "number of figures"),
        ("clause: 二（一）, name: 漏", "clause: 二（三）, name: 漏", "number of figures"),
        ("chapter: 一（一）, name: 路灯", "chapter: 一, name: 路灯", "number of figures"),
    ],
)
def test_a_changed_fact_is_found(run, old, new, kind):
    assert POLICY.count(old) == 1
    code, printed = run(POLICY.replace(old, new), TEXT)
    assert code == 1
    assert any(line.startswith("DIFFERENT") and kind in line for line in printed.splitlines())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("12.5公里以上", "12.5公里"),
        ("15%", "16%"),
        ("全覆盖", "基本覆盖"),
        ("全省平均水平", "全国平均水平"),
        ("市水务局、市住建局", "市水务局、市住建局、市文旅局"),
        ("并建立台账", "并新建3个台账"),
        ("（二)修缮沿街房屋", "（二)修缮沿街门面"),
        (
            "改造后的街区要有人巡查。",
            "改造后的街区要有人巡查。改完之后要做到处处有人来管事事有人来问。",
        ),
    ],
)
def test_a_changed_document_is_found(run, old, new):
    assert TEXT.count(old) == 1
    policy = POLICY.replace("改完之后有人管。", "改完之后要做到处处有人来管事事有人来问。")
    assert run(policy, TEXT)[0] == 0
    assert run(policy, TEXT.replace(old, new))[0] == 1


def test_a_wrong_data_file_and_a_missing_text_fail(run, script, tmp_path, capsys):
    code, printed = run(POLICY.replace("2025-03-18", "2025-02-30"), TEXT)
    assert code == 1
    assert "document.issued_date" in printed
    assert script.main([str(tmp_path / "absent.txt")]) == 1
    assert "cannot read" in capsys.readouterr().out


def test_the_command_itself_ends_with_1_when_the_text_is_absent(tmp_path):
    environment = {**os.environ, "POLICY_TEXT": str(tmp_path / "absent.txt")}
    ended = subprocess.run(
        [sys.executable, str(SCRIPT)], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "cannot read" in ended.stdout
    assert os.access(SCRIPT, os.X_OK)
