"""Requests drawn from the OpenAPI document: good ones, nearly good ones, and nonsense."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

Drawn = st.SearchStrategy[Any]
FRESH = "a-fresh-key-each-time-it-is-sent"
METHODS_MORE = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
TEXT = st.text(max_size=40)
# Also what UTF-8 cannot carry: JSON can spell it with an escape.
ANY_TEXT = st.text(st.characters(), max_size=20) | st.sampled_from(
    [
        "\x00",
        "\ud800",
        "\ufeff",
        "\u202e",
        "\N{MATHEMATICAL SANS-SERIF DIGIT ONE}",
        "null",
        "NaN",
        "-0",
        "1e400",
        "' OR 1=1 --",
        "{{7*7}}",
        "../../etc/passwd",
        "%s%n",
        "a" * 5000,
    ]
)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([0, -1, 2**63 - 1, 2**63])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
RAW = st.binary(max_size=60) | st.sampled_from(
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}{}",
        b"\xff\xfe{}",
        b"[" * 5000,
        b'{"a":' * 5000,
        b"1" * 5000,
        b'{"kind":"internal","kind":"payout"}',
        b'{"amount_minor":1e1000000000}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"\\ud800":1}',
        b'{"a":"\\u0000"}',
        b"\xef\xbb\xbf{}",
        b'{"a":0x10}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":"\t"}',
        b'{"a":01}',
        b" \n\t",
        b'{"a":' + b"9" * 5000 + b"}",
    ]
)
HEADER_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=300)
TYPES = st.sampled_from([
    "text/plain", "application/json; charset=utf-16", "application/xml", "", "application/json;;;",
    "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "a/b/c", "\x01",
])  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One request, and the operation it is a request of."""

    path: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    content_type: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Generator:
    """Draws requests from a document; `known` holds values by name that exist."""

    document: Mapping[str, Any]
    known: Mapping[str, list[Any]]
    bodies: dict[str, Drawn] = field(default_factory=dict)

    def requests(self) -> Drawn:
        """Return a strategy over every operation of the document."""
        names = [
            f"{method} {path}"
            for path, methods in self.document["paths"].items()
            for method in methods
        ]
        for name in names:
            method, _, path = name.partition(" ")
            self.bodies[name] = self._body(self.document["paths"][path][method])
        # What changes something is where most can go wrong.
        return st.sampled_from(
            names + [name for name in names if "post /v1/tr" in name] * 2
        ).flatmap(self._request)

    @st.composite
    @staticmethod
    def _drawn(draw: Any, generator: "Generator", path: str, method: str) -> Drawing:
        found = generator.document["paths"][path][method]
        url = re.sub(
            r"\{(\w+)\}",
            lambda match: quote(draw(generator._segment(match[1])), safe=""),
            path,
        )
        parameters = [p for p in found.get("parameters", []) if p["in"] == "query"]
        query = draw(generator._query(parameters))
        body, content_type = draw(generator.bodies[f"{method} {path}"])
        headers = {}
        if any(p["in"] == "header" for p in found.get("parameters", [])):
            headers = draw(generator._key())
        # Makes no two drawings alike: else the short good ones run out and only nonsense is left.
        draw(st.integers(0, 2**64))
        return Drawing(
            path=path,
            method=method.upper(),
            url=url + query,
            headers=headers,
            body=body,
            content_type=content_type,
        )

    def _request(self, name: str) -> Drawn:
        method, _, path = name.partition(" ")
        strategy: Drawn = Generator._drawn(self, path, method)
        return strategy

    def _segment(self, name: str) -> Drawn:
        there = st.sampled_from(self.known[name])
        strange = ANY_TEXT.filter(bool).map(lambda text: text.encode("utf-8", "replace").decode())
        return there | there | there | strange

    def _key(self) -> Drawn:
        return st.one_of(
            *[st.just({"Idempotency-Key": FRESH})] * 6,
            st.just({"Idempotency-Key": "one-key-used-again-and-again"}),
            HEADER_TEXT.map(lambda key: {"Idempotency-Key": key}),
            st.just({}),
        )

    def _query(self, parameters: list[Any]) -> Drawn:
        value = st.sampled_from(["1", "5", "100", *self.known["cursor"]]) | ANY_TEXT
        names = st.sampled_from([p["name"] for p in parameters] or ["surprise"])
        pairs = st.lists(st.tuples(names | TEXT, value), max_size=2)
        written = pairs.map(
            lambda found: "&".join(
                f"{quote(n.encode('utf-8', 'replace'))}={quote(v.encode('utf-8', 'replace'))}"
                for n, v in found
            )
        )
        return st.just("") | st.just("") | written.map(lambda text: f"?{text}" if text else "")

    def _body(self, found: Any) -> Drawn:
        content = found.get("requestBody", {}).get("content", {})
        if not content:
            return st.just((b"", ""))
        (kind, media) = next(iter(content.items()))
        if kind != "application/json":
            form = st.dictionaries(
                st.sampled_from(["grant_type", "scope", "client_id", "client_secret", "x"]),
                st.sampled_from(["client_credentials", "x", "", "transfers:read", "\x00"]) | TEXT,
            )
            return st.tuples(form.map(_form), st.just(kind) | TYPES)
        good = self.values(media["schema"])
        spelled, spoilt = good.map(_dumped), good.flatmap(self._spoilt).map(_dumped)
        kinds = st.sampled_from([kind] * 40) | st.sampled_from([kind] * 40) | TYPES
        bodies = st.one_of(
            spelled, spelled, spelled, spelled, spoilt, spoilt, RAW, JSON.map(_dumped)
        )
        return st.tuples(bodies, kinds)

    def values(self, schema: Any, name: str = "") -> Drawn:
        """Return a strategy for what `schema` allows; names that are known exist for real."""
        if "$ref" in schema or "allOf" in schema:
            return self.values(self._resolved(schema), name)
        if name in self.known and schema.get("type") == "string":
            return st.sampled_from(self.known[name])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        return self._typed(schema)

    def _typed(self, schema: Any) -> Drawn:
        match schema.get("type"):
            case "object":
                return self._object(schema)
            case "integer":
                low, high = schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
                return st.integers(low, min(high, 500)) | st.integers(low, high)
            case "array":
                low = schema.get("minItems", 0)
                return st.lists(self.values(schema["items"]), min_size=low, max_size=low + 3)
            case "string" if "pattern" in schema:
                return st.from_regex(schema["pattern"], fullmatch=True)
            case "string":
                plain = st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"])
                low = schema.get("minLength", 0)
                return st.text(plain, min_size=low, max_size=min(schema.get("maxLength", 50), 50))
            case _:
                return JSON

    def _object(self, schema: Any) -> Drawn:
        fields = {n: self.values(s, n) for n, s in schema.get("properties", {}).items()}
        if not fields and not schema.get("additionalProperties"):
            return st.just({})
        if not fields:
            return st.dictionaries(TEXT, self.values(schema["additionalProperties"]), max_size=3)
        if "kind" in fields:
            return self._transfer(fields)
        needed = set(schema.get("required", []))
        return st.fixed_dictionaries(
            {n: s for n, s in fields.items() if n in needed},
            optional={n: s for n, s in fields.items() if n not in needed},
        )

    def _transfer(self, fields: Mapping[str, Drawn]) -> Drawn:
        """Return transfers whose destination belongs to their kind, which no schema says."""
        common = {n: fields[n] for n in ("source_account", "amount_minor", "currency")}
        if "key" in fields:
            common["key"] = st.uuids().map(str) | fields["key"]
        optional = {n: fields[n] for n in ("reference", "metadata", "execute_at") if n in fields}
        to = [
            ("internal", "destination_account"),
            ("partner", "destination_alias"),
            ("payout", "destination"),
        ]
        return st.one_of(
            *(
                st.fixed_dictionaries(
                    {"kind": st.just(kind), name: fields[name], **common}, optional=optional
                )
                for kind, name in to
                if name in fields
            )
        )

    def _spoilt(self, value: Any) -> Drawn:
        """Return good values with one thing wrong."""
        if not isinstance(value, dict) or not value:
            return st.dictionaries(ANY_TEXT, JSON, max_size=2)
        names = st.sampled_from(sorted(value))
        return st.one_of(
            names.map(lambda name: {n: v for n, v in value.items() if n != name}),
            st.tuples(names, JSON).map(lambda pair: value | {pair[0]: pair[1]}),
            st.tuples(ANY_TEXT, JSON).map(lambda pair: value | {pair[0]: pair[1]}),
        )

    def _resolved(self, schema: Any) -> Any:
        found = schema["allOf"][0] if "allOf" in schema else schema
        name = found.get("$ref", "").rpartition("/")[2]
        return self.document["components"]["schemas"][name] if name else found


def _form(fields: Mapping[str, str]) -> bytes:
    pairs = (f"{n}={quote(v.encode('utf-8', 'replace'))}" for n, v in fields.items())
    return "&".join(pairs).encode()


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode()
