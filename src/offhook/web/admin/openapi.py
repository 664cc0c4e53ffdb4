"""The OpenAPI 3.1 document, made from the endpoints themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from offhook._version import __version__
from offhook.web.admin.endpoints import ID, Endpoint
from offhook.web.admin.examples import example
from offhook.web.admin.problems import MEDIA_TYPE, Problem

_REF: Final = "#/components/schemas/{name}"
_KINDS: Final = {"application/json": "object"}
_PROBLEMS: Final = (401, 403, 422, 429, 503)


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole document."""
    types = [Problem, *(t for e in endpoints for t in (e.answer, e.body) if t is not None)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    of = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for each in endpoints:
        for path in (each.path, *each.also):
            operation = _operation(each, path, of)
            paths.setdefault(path, {})[each.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "offhook",
            "version": __version__,
            "description": "Records of calls, and commands to live ones. Times are Unix "
            "milliseconds in UTC, lengths milliseconds.",
        },
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _schemes()},
    }


def _schemes() -> dict[str, Any]:
    about = "A token of `offhook token create`, or an access token of the OpenID provider."
    return {
        "token": {"type": "http", "scheme": "bearer", "description": about},
        "session": {"type": "apiKey", "in": "cookie", "name": "offhook_session"},
    }


def _operation(each: Endpoint, path: str, of: dict[str, Any]) -> dict[str, Any]:
    summary, more = each.about
    suffix = "" if path == each.path else "_of_old"
    operation: dict[str, Any] = {
        "operationId": f"{each.name}{suffix}",
        "summary": summary,
        "description": f"{more} Needs the role `{each.role}`.".strip(),
        "parameters": [*_path_parameters(path), *_query_parameters(each.query)],
        "responses": _responses(each, path, of),
    }
    if suffix:
        operation["deprecated"] = True
    if each.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(each.body, of)}
    return operation


def _content(kind: Any, of: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": of[repr(kind)], "example": example(kind)}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "pattern": ID, "minLength": 1, "maxLength": 200}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schema,
            "example": f"{name[:-3]}_1",
        }
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _query_parameters(kind: Any) -> list[dict[str, Any]]:
    (_,), components = msgspec.json.schema_components([kind], ref_template=_REF)
    shape = components[kind.__name__]
    required = shape.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _without_null(schema),
        }
        for name, schema in shape["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not; it is never null."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    bare = {k: v for k, v in schema.items() if k not in ("anyOf", "default")}
    default = {"default": schema["default"]} if schema.get("default") is not None else {}
    enum = {"enum": [each for each in schema["enum"] if each is not None]} if "enum" in bare else {}
    return {**(kinds[0] if kinds else {}), **bare, **enum, **default}


def _responses(each: Endpoint, path: str, of: dict[str, Any]) -> dict[str, Any]:
    codes = [*_PROBLEMS, *((404,) if "{" in path else ()), *((400, 413, 415) if each.body else ())]
    if each.changes:
        codes.append(409)
    problem = {"schema": of[repr(Problem)]}
    answers: dict[str, Any] = {str(each.status): _answer(each, of)}
    for code in sorted(codes):
        about = HTTPStatus(code).phrase
        answers[str(code)] = {"description": about, "content": {MEDIA_TYPE: problem}}
    return answers


def _answer(each: Endpoint, of: dict[str, Any]) -> dict[str, Any]:
    texts = {media: {"schema": {"type": _KINDS.get(media, "string")}} for media in each.media}
    content = _content(each.answer, of) if each.answer is not None else {}
    return {"description": HTTPStatus(each.status).phrase, "content": {**content, **texts}}
