"""Files that cannot be replayed say where they are wrong and what to do."""

from pathlib import Path

import pytest

from shared.errors import Language
from simulation.places import DATA
from simulation.replay.city import DEMAND, WARDS, read_city
from simulation.replay.demand import read_demand
from simulation.replay.files import FileFault
from simulation.replay.settings import Behaviour, read_behaviour

HEADER = "month,service,basis,count\n"
GOOD = "2025-04,card_issuance,forecast,10\n"


def fault(error: FileFault, language: Language = "en") -> str:
    return f"{error.detail.to(language)} {error.remedy.to(language)}"


def test_the_plans_table_is_read_whole() -> None:
    demand = read_demand(DEMAND)
    assert len(demand) == 96
    assert sum(count for (month, _), count in demand.items() if f"{month:%Y-%m}" == "2025-07") == (
        41392
    )


def test_encodings_and_a_mark_of_byte_order_are_taken(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "cp932"):
        path = tmp_path / "demand.csv"
        path.write_text(HEADER + GOOD, encoding=encoding)
        assert list(read_demand(path).values()) == [10]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + GOOD + "2025-13,card_issuance,actual,1\n", "line 3, month"),
        (HEADER + "2025-04,passports,actual,1\n", "line 2, service"),
        (HEADER + "2025-04,card_issuance,guess,1\n", "line 2, basis"),
        (HEADER + "2025-04,card_issuance,actual,-1\n", "line 2, count"),
        (HEADER + "2025-04,card_issuance,actual,1.5\n", "line 2, count"),
        (HEADER + GOOD + GOOD, "came before"),
        (HEADER + "2025-04,card_issuance,actual\n", "not as many cells"),
        (HEADER + "2025-04,card_issuance,actual,1,2\n", "not as many cells"),
        ("month,service,count\n", "column basis is missing"),
        (HEADER, "no lines"),
        ("", "column month is missing"),
        (HEADER + '2025-04,"card_issuance,actual,1\n', "not CSV"),
    ],
)
def test_a_wrong_demand_names_line_field_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "demand.csv"
    path.write_text(text)
    with pytest.raises(FileFault) as caught:
        read_demand(path)
    assert said in fault(caught.value)
    assert "demand.csv" in fault(caught.value)
    assert fault(caught.value, "ja") != fault(caught.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(FileFault, match="cannot be read"):
        read_demand(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\x81\xff\xff\xfe")
    with pytest.raises(FileFault, match="neither UTF-8 nor cp932"):
        read_demand(tmp_path / "binary.csv")


def copied_sites(folder: Path) -> Path:
    for path in (DATA / "replay").glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder / "sites.csv"


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("sites.csv", ",141313,", ",141314,", "ward"),
        ("sites.csv", ",141313,", ",131016,", "not in the wards' file"),
        ("sites.csv", ",12,12,", ",none,12,", "line 2, counters"),
        ("sites.csv", ",2023-01-01,", ",soon,", "line 2, opens_on"),
        ("site_hours.csv", "monday", "someday", "line 2, weekday"),
        ("site_hours.csv", "08:30", "half past eight", "line 2, opens"),
        ("site_acceptance.csv", "card_issuance", "passports", "line 2, procedure"),
    ],
)
def test_wrong_sites_name_line_and_field(
    tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    sites = copied_sites(tmp_path)
    path = tmp_path / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileFault) as caught:
        read_city(WARDS, sites)
    assert said in fault(caught.value)


def test_a_ward_that_no_site_serves(tmp_path: Path) -> None:
    sites = copied_sites(tmp_path)
    (tmp_path / "site_acceptance.csv").write_text(
        "site_id,procedure,wards\nkawasaki-ward-office,card_issuance,141313\n"
    )
    with pytest.raises(FileFault, match="no site serves"):
        read_city(WARDS, sites)


def test_hours_must_stand_beside_the_sites(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_bytes((DATA / "replay" / "sites.csv").read_bytes())
    with pytest.raises(FileFault, match=r"site_hours\.csv"):
        read_city(WARDS, tmp_path / "sites.csv")


def test_behaviour_is_the_defaults_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "behaviour.toml"
    path.write_text("missed = 0.1\nbooking_to_visit = [2, 10]\n")
    assert read_behaviour(path) == Behaviour(missed=0.1, booking_to_visit=(2, 10))
    wrong = ("missed = 2", "misssed = 0.1", "stepwise = 0.05", "missed =", "opens = 22:00:00")
    for text in (*wrong, "acts_every = 5"):  # nobody books 20 weeks ahead
        path.write_text(text)
        with pytest.raises(FileFault, match=r"behaviour\.toml"):
            read_behaviour(path)
