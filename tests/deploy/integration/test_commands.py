"""The command line: what it prints, where, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from deploy.embedded.ports import free_port


def madoguchi(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if "MADOGUCHI" not in name}
    return subprocess.run(
        [sys.executable, "-c", "from deploy.cli.main import main; main()", *arguments],
        env={**clean, "LC_ALL": "C.UTF-8", "MADOGUCHI_HOME": str(data), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_token_alone_goes_to_standard_output(tmp_path: Path) -> None:
    done = madoguchi(tmp_path, "token", "--role", "clerk", "--site", "kawasaki-ward-office")
    claims = jwt.decode(done.stdout.strip(), options={"verify_signature": False})
    assert claims["roles"] == ["clerk"]
    assert claims["sites"] == ["kawasaki-ward-office"]
    assert claims["exp"] - claims["iat"] == 3600


def test_a_role_of_nobody_is_refused_with_the_choice(tmp_path: Path) -> None:
    done = madoguchi(tmp_path, "token", "--role", "king")
    assert done.returncode == 1
    assert "back_office" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_foreign_issuer_is_not_imitated(tmp_path: Path) -> None:
    foreign = {"MADOGUCHI_OIDC_ISSUER": "https://id.example"}
    done = madoguchi(tmp_path, "token", "--role", "clerk", **foreign)
    assert done.returncode == 1
    assert "https://id.example" in done.stderr


def test_the_status_of_nothing_is_stopped(tmp_path: Path) -> None:
    done = madoguchi(tmp_path, "status", "--json")
    lines = json.loads(done.stdout)
    assert done.returncode == 1
    assert len(lines) == 15
    assert {line["state"] for line in lines} == {"stopped"}


def test_stopping_nothing_says_so(tmp_path: Path) -> None:
    done = madoguchi(tmp_path, "down")
    assert done.returncode == 0
    assert "Nothing was running" in done.stderr


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    done = madoguchi(tmp_path, "status", MADOGUCHI_KAFKA_PORT="many")
    assert done.returncode == 1
    assert "MADOGUCHI_KAFKA_PORT" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "setting"),
    [
        (["topics", "list"], "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS"),
        (["dead-letters", "list", "--room", "reporting"], "MADOGUCHI_REPORTING_DATABASE_URL"),
        (["audit", "verify", "--room", "issuance"], "MADOGUCHI_ISSUANCE_DATABASE_URL"),
        (["projections", "rebuild", "cases"], "MADOGUCHI_REPORTING_DATABASE_URL"),
    ],
)
def test_a_missing_part_is_named_with_the_remedy(
    tmp_path: Path, arguments: list[str], setting: str
) -> None:
    nobody = {"MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    madoguchi(tmp_path, "token", "--role", "clerk")  # makes the keys
    done = madoguchi(tmp_path, *arguments, **nobody)
    assert done.returncode == 1
    assert setting in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_room_is_answered_with_the_rooms(tmp_path: Path) -> None:
    done = madoguchi(tmp_path, "dead-letters", "show", "kitchen", "1")
    assert done.returncode == 1
    assert "reservation" in done.stderr


def test_an_unknown_read_model_is_answered_with_those_there_are(tmp_path: Path) -> None:
    done = madoguchi(tmp_path, "projections", "rebuild", "dreams")
    assert done.returncode == 1
    assert "site_days" in done.stderr
