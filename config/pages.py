"""What a partner's engineer reads: the API's document, its page, and each problem's."""

import json
import re
from html import escape
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from config.openapi import TOKEN_PATH, document

PROBLEMS: Final = Path(settings.BASE_DIR) / "docs" / "problems"
CODE: Final = re.compile(r"`([^`]+)`")
LINK: Final = re.compile(r"\[([^\]]+)\]\((/[^)\s]*)\)")
SAMPLES: Final = {
    "kind": "payout",
    "source_account": "$ACCOUNT_ID",
    "destination": {"name": "Ada Lovelace", "iban": "DE89370400440532013000"},
    "amount_minor": 1250,
    "currency": "EUR",
    "reference": "Invoice 42",
}


@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    """Return the OpenAPI 3.1 document."""
    del request
    return JsonResponse(document(), json_dumps_params={"indent": 2})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Return the document as a page, with a command to copy for each call."""
    base = request.build_absolute_uri("/").rstrip("/")
    schema = document()
    operations = [
        _operation(path, method=method, found=found, base=base)
        for path, methods in schema["paths"].items()
        for method, found in methods.items()
    ]
    return render(
        request,
        "api/docs.html",
        {"info": schema["info"], "operations": operations, "problems": problem_codes()},
    )


@require_safe
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """Return the page of one problem's code."""
    if code not in problem_codes():
        raise Http404
    text = (PROBLEMS / f"{code}.md").read_text()
    return render(request, "api/problem.html", {"code": code, "text": readable(text)})


def problem_codes() -> list[str]:
    """Return every code that has a page."""
    return sorted(path.stem for path in PROBLEMS.glob("*.md"))


def readable(text: str) -> SafeString:
    """Return the little Markdown our pages are written in as HTML: nothing in it runs."""
    blocks = []
    for block in re.split(r"\n{2,}", text.strip()):
        lines = block.splitlines()
        if block.startswith("# "):
            blocks.append(f"<h1>{_inline(block[2:])}</h1>")
        elif block.startswith("## "):
            blocks.append(f"<h2>{_inline(block[3:])}</h2>")
        elif block.startswith("```"):
            blocks.append(f"<pre>{escape(chr(10).join(lines[1:-1]))}</pre>")
        elif all(line.startswith("- ") for line in lines):
            items = "".join(f"<li>{_inline(line[2:])}</li>" for line in lines)
            blocks.append(f"<ul>{items}</ul>")
        else:
            blocks.append(f"<p>{_inline(' '.join(lines))}</p>")
    return mark_safe("\n".join(blocks))  # noqa: S308 - our own files, escaped above


def _inline(text: str) -> str:
    coded = CODE.sub(r"<code>\1</code>", escape(text, quote=False))
    return LINK.sub(r'<a href="\2">\1</a>', coded)


def _operation(path: str, *, method: str, found: dict[str, Any], base: str) -> dict[str, Any]:
    """Return what the page shows of one call."""
    return {
        "id": found["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": found["summary"],
        "description": readable(found["description"]),
        "scopes": [
            scope for entry in found["security"] for each in entry.values() for scope in each
        ],
        "parameters": [
            {
                "name": item["name"],
                "where": item["in"],
                "text": readable(item.get("description", "From the address.")),
                "is_required": item.get("required", False),
            }
            for item in found.get("parameters", [])
        ],
        "fields": _fields(found),
        "responses": [
            {"status": status, "text": readable(item["description"] or "Done.")}
            for status, item in found["responses"].items()
        ],
        "curl": _curl(path, method=method, found=found, base=base),
    }


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return document()["components"]["schemas"][name] if name else schema


def _body(found: dict[str, Any]) -> dict[str, Any]:
    content = found.get("requestBody", {}).get("content", {})
    return _resolved(next(iter(content.values()))["schema"]) if content else {}


def _fields(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the body's fields, those of objects inside it behind a dot."""
    rows: list[dict[str, Any]] = []
    body = _body(found)
    for name, shape in body.get("properties", {}).items():
        inner = _resolved(shape.get("allOf", [shape])[0])
        is_required = name in body.get("required", [])
        said = shape.get("description") or inner.get("description", "")
        rows.append({"name": name, "is_required": is_required, "text": readable(said)})
        rows += [
            {
                "name": f"{name}.{part}",
                "is_required": part in inner.get("required", []),
                "text": readable(deep.get("description", "")),
            }
            for part, deep in inner.get("properties", {}).items()
        ]
    return rows


def _curl(path: str, *, method: str, found: dict[str, Any], base: str) -> str:
    """Return a command that works once the two variables are set."""
    address = re.sub(r"\{(\w+)\}", lambda match: f"${match[1].upper()}", path)
    if path == TOKEN_PATH:
        return (
            f'curl -s -u "$CLIENT_ID:$CLIENT_SECRET" \\\n  -d grant_type=client_credentials'
            f" \\\n  {base}{address}"
        )
    lines = [f'curl -s{" -X POST" if method == "post" else ""} -H "Authorization: Bearer $TOKEN"']
    if any(item["name"] == "Idempotency-Key" for item in found.get("parameters", [])):
        lines.append('-H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)"')
    if _body(found).get("required"):
        lines.append("-H 'Content-Type: application/json'")
        # Out of the single quotes for the one word that the shell fills in.
        body = json.dumps(SAMPLES).replace('"$ACCOUNT_ID"', '"\'"$ACCOUNT_ID"\'"')
        lines.append(f"-d '{body}'")
    return " \\\n  ".join([*lines, f'"{base}{address}"'])
