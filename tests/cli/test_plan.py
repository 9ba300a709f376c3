"""`aks-kaito plan`: the command of the CDK's CLI, and what stops it."""

from pathlib import Path

from support.stand_ins import run


def test_the_platform_is_planned_and_nothing_else_runs(tmp_path: Path) -> None:
    ran = run(tmp_path, "plan", "dev")
    assert ran.done.returncode == 0, ran.done.stderr
    assert ran.lines == ["cdk diff kaito-dev-platform"]
    assert ran.variables[0]["AKS_KAITO_ENV"] == "dev"
    assert "== plan the platform: AKS_KAITO_ENV=dev cdk diff kaito-dev-platform" in ran.done.stdout


def test_a_failed_plan_has_the_exit_status_1(tmp_path: Path) -> None:
    ran = run(tmp_path, "plan", "dev", fails="cdk diff")
    assert ran.done.returncode == 1
    assert "plan the platform: cdk diff kaito-dev-platform ended with exit status 7" in ran.done.stderr


def test_a_machine_without_terraform_and_an_unknown_environment_are_refused(tmp_path: Path) -> None:
    ran = run(tmp_path, "plan", "dev", variables={"TERRAFORM_BINARY_NAME": "no-such-terraform"})
    assert (ran.done.returncode, ran.lines) == (2, [])
    assert "no-such-terraform is not installed" in ran.done.stderr
    ran = run(tmp_path, "plan", "nowhere")
    assert (ran.done.returncode, ran.lines) == (2, [])
    assert "Traceback" not in ran.done.stderr
