"""What is the same file, in whatever form its path is noted."""

import pytest

from orchestration.services.files import FilePath, KnownFiles
from support.rows import PATH_FORMS


def same(one, other):
    forwards, backwards = FilePath.of(one).fits(FilePath.of(other)), FilePath.of(other).fits(FilePath.of(one))
    assert forwards == backwards
    return forwards


@pytest.mark.lesson("A3")
@pytest.mark.parametrize("form", PATH_FORMS)
def test_the_log_has_a_bucket_and_the_table_an_objects_name(form):
    assert same("gs://b/x/1.json", form)


@pytest.mark.lesson("A3")
def test_the_real_ones():
    name = "nba-com/schedule/2025-26/20260115_110000_000000.json"
    assert same(f"gs://nba-scraped-data/{name}", name)
    assert same(f"gs://nba-scraped-data/{name}", f"/nba-scraped-data/{name}")
    assert not same(f"gs://nba-scraped-data/{name}", name.replace("11", "12"))
    assert not same(f"gs://nba-scraped-data/{name}", f"other/{name}")


@pytest.mark.lesson("A3")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gs://a/x/1.json", "gs://b/x/1.json"),
        ("gs://a/b/x.json", "gs://b/x.json"),
        ("gs://b/x/1.json", "1.json"),
        ("gs://b/x/1.json", "a/b/x/1.json"),
        ("gs://b/x/1.json", "x/1.json/"[:-2]),
        ("b/x.json", "x.json"),
        ("gs://b/x/1.json", "unknown"),
        ("gs://b/x/1.json", ""),
        ("gs://b/x%2F1.json", "gs://b/x/1.json"),
    ],
)
def test_two_different_files_never_match(one, other):
    assert not same(one, other)


@pytest.mark.lesson("A3")
def test_what_may_be_a_bucket_or_a_folder_is_compared_both_ways():
    assert same("b/x.json", "gs://b/x.json")
    assert same("b/x.json", "gs://any/b/x.json")
    assert KnownFiles(["gs://b/x.json"]).named(["b/x.json"]) == {FilePath("b", "x.json")}
    assert KnownFiles(["gs://any/b/x.json"]).named(["b/x.json"]) == {FilePath("any", "b/x.json")}
    assert KnownFiles(["gs://b/x.json", "gs://any/b/x.json"]).named(["b/x.json"]) == set()


def test_a_bare_path_names_itself_before_it_names_others():
    assert KnownFiles(["b/x.json", "gs://any/b/x.json"]).named(["b/x.json"]) == {FilePath(None, "b/x.json")}
