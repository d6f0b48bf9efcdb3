"""Everything that looks like a secret is struck out of texts of others, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.services.redaction import masked, secrets_in, struck_out, without, without_secrets

SECRET = "s3cr3tVALUE"
JWT = f"eyJhbGciOiJub25lIn0.eyJleHAiOjF9.{SECRET}"


def nested(levels: int) -> str:
    text = SECRET
    for _ in range(levels):
        text = json.dumps({"client_secret": text})
    return text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GET https://x/v4?apiKey=s3cr3tVALUE&day=1 failed", "GET https://x/v4?apiKey=***&day=1 failed"),
        ("GET https://x/v4?day=1&token=s3cr3tVALUE failed", "GET https://x/v4?day=1&token=*** failed"),
        ("https://maps/api?key=s3cr3tVALUE", "https://maps/api?key=***"),
        ("https://x?X-Goog-Signature=s3cr3tVALUE&a=1", "https://x?X-Goog-Signature=***&a=1"),
        ("url=https%3A%2F%2Fx%3FapiKey%3Ds3cr3tVALUE%26x%3D1", "url=https%3A%2F%2Fx%3FapiKey%3D***%26x%3D1"),
        ("https%253A%252F%252Fx%253Ftoken%253Ds3cr3tVALUE%2526x", "https%253A%252F%252Fx%253Ftoken%253D***%2526x"),
        ("https://me:s3cr3tVALUE@h/ and more", "https://***@h/ and more"),
        ("https://me:p@s3cr3tVALUE@h/", "https://***@h/"),
        ("https%3A%2F%2Fme%3As3cr3tVALUE%40h%2Fx", "https%3A%2F%2F***%40h%2Fx"),
        ("X-Api-Key: s3cr3tVALUE\nDate: x", "X-Api-Key: ***\nDate: x"),
        ("{'X-Api-Key': 's3cr3tVALUE', 'a': 1}", "{'X-Api-Key': '***', 'a': 1}"),
        ("[(b'X-Api-Key', b's3cr3tVALUE')]", "[(b'X-Api-Key', b'***')]"),
        ("Authorization: Bearer s3cr3tVALUE", "Authorization: Bearer ***"),
        ("Authorization: Odd s3cr3tVALUE\nx", "Authorization: ***\nx"),
        ("('Authorization', 'Basic s3cr3tVALUE')", "('Authorization', 'Basic ***')"),
        ("Cookie: a=b; sid=s3cr3tVALUE", "Cookie: ***"),
        ("sent bearer%20s3cr3tVALUE", "sent bearer%20***"),
        ("password = 'some words, s3cr3tVALUE', again", "password = '***', again"),
        ('"password": "a\\"s3cr3tVALUE", "b": 1', '"password": "***", "b": 1'),
        ("{&quot;token&quot;: &quot;s3cr3tVALUE&quot;}", "{&quot;token&quot;: &quot;***&quot;}"),
        ("?a=1\\u0026token=s3cr3tVALUE\\u0026b", "?a=1\\u0026token=***\\u0026b"),
        (f"the token {JWT} has expired", "the token *** has expired"),
        ("-----BEGIN PRIVATE KEY-----\ns3cr3tVALUE\n-----END", "-----BEGIN PRIVATE KEY-----***-----END"),
        (nested(1), '{"client_secret": "***"}'),
        (json.dumps({"a": nested(1), "b": 1}), '{"a": "{\\"client_secret\\": \\"***\\"}", "b": 1}'),
    ],
)
def test_a_secret_is_struck_out_and_the_rest_stays(text, kept):
    assert masked(text) == kept
    assert masked(kept) == kept, "a second look changes nothing"
    assert any(SECRET in found for found in secrets_in(text))


@pytest.mark.parametrize("levels", range(1, 5))
def test_secrets_in_json_inside_json_are_struck_out(levels):
    assert SECRET not in masked(json.dumps({"detail": nested(levels)}))


@pytest.mark.parametrize(
    "text",
    [
        "3 tokens left, basic plan",
        "Token expired",
        "KeyError: 'game_id'",
        "the keys: a, b",
        "signature mismatch",
        "HTTP 403: go away",
        "https://x/v4?day=1&game=0022500001",
        "gs://bucket/nba/2026-01-14/a@b.json",
        "write to ann@example.com",
    ],
)
def test_other_texts_stay_unchanged(text):
    assert masked(text) == text


def test_secret_values_are_struck_out_under_their_key_beside_their_name_and_in_texts():
    answer = {
        "request": {"headers": [["X-Api-Key", SECRET], {"name": "Cookie", "value": SECRET}], "access_token": {"a": 1}},
        "url": f"https://x?apiKey={SECRET}",
        "rows": 5,
    }
    assert without_secrets(answer) == {
        "request": {"headers": [["X-Api-Key", "***"], {"name": "Cookie", "value": "***"}], "access_token": "***"},
        "url": "https://x?apiKey=***",
        "rows": 5,
    }


def test_a_secret_that_we_sent_is_struck_out_in_every_form_under_any_name():
    sent = 'p"\\w Zö%'
    escaped = json.dumps({"a": sent})
    for text in (f"denied: {sent}", escaped, json.dumps(escaped), "x=p%22%5Cw+Z%C3%B6%25", "x=p%22%5Cw%20Z%C3%B6%25"):
        assert "***" in without(text, [sent])
        assert "w" not in without(text, [sent])
    assert without("a day of 12", ["a", "", "12"]) == "a day of 12", "what is too short to be a secret is left alone"


@pytest.mark.parametrize(
    "piece",
    ["a-", "token", " ", "bearer ", "://", "token='", "token=", "%25", "%3A%2F%2F", "\\", 'token"', "eyJ", "cookie:",
     "-----BEGIN PRIVATE KEY-----"],
)  # fmt: skip
def test_a_hostile_text_does_not_hang(piece):
    assert len(masked(piece * 400_000)) <= 1000
    struck_out(piece * (20_000 // len(piece)))


NAMES = (
    "apiKey",
    "X-Api-Key:",
    "token[]",
    "headers['cookie']",
    "X-Api-Key",
    "client_secret",
    "Authorization",
    "session id",
    "x-auth-token",
)
TEXTS = (f"GET https://x/v4?apiKey={SECRET} failed", f"X-Api-Key: {SECRET}", f"https://me:{SECRET}@h/", nested(2))
HARMLESS = st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["box", "2 of 9 games", "a token", ""]))
PLANTED = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(TEXTS).map(lambda text: {text: 1}),
    st.builds(lambda name, secret: {name: secret}, st.sampled_from(NAMES), st.just(SECRET)),
    st.builds(lambda name, secret: {name: {"deep": [secret]}}, st.sampled_from(NAMES), st.just(SECRET)),
    st.builds(lambda name: {"Name": name, "Value": SECRET}, st.sampled_from(NAMES)),
    st.builds(lambda name: [name, SECRET], st.sampled_from(NAMES)),
    st.builds(lambda name: ["Accept", "json", name, SECRET], st.sampled_from(NAMES)),
    st.builds(lambda text, other: [text, other], st.sampled_from(TEXTS), HARMLESS),
)


@pytest.mark.fuzz
@pytest.mark.lesson("F18")
@given(
    st.recursive(
        st.one_of(PLANTED, HARMLESS),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["a", "b", "note"]), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_a_planted_secret_is_in_no_structure_afterwards(value):
    assert SECRET not in repr(without_secrets(value))
    assert SECRET not in json.dumps(without_secrets(value))


def test_a_sentence_beside_a_name_stays():
    said = ["GET https://x/v4?apiKey=s3cr3tVALUE failed", "try 2 failed"]
    assert without_secrets(said) == ["GET https://x/v4?apiKey=*** failed", "try 2 failed"]


def test_our_own_sentence_about_a_token_stays():
    text = "Google gave no ID token (RefreshError: Failed to retrieve the metadata)"
    assert masked(text) == text
