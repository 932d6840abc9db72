"""What MkDocs does with the pages of the site beyond rendering them (``hooks`` in ``mkdocs.yml``).

Two pages are files of the checkout: the overview is ``README.md``, the changelog ``CHANGELOG.md``.
A line ``<!-- keys of MODULE:MODEL -->`` becomes a table of the keys that a pydantic model accepts,
``<!-- commands -->`` the help, usage and options of each command: no page lists them by hand. Links
to files outside ``docs`` become plain text, because the site does not have these files.
"""

import os
import re
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import WithJsonSchema

ROOT = Path(__file__).parents[1]
CHECKOUT_PAGES = {"index.md": "README.md", "changelog.md": "CHANGELOG.md"}
"""Pages of the site by the file of the checkout that they show."""

_KEYS = re.compile(r"^<!-- keys of ([\w.]+):(\w+) -->$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#:\s]+)(#[^)]*)?\)")
_COMMANDS = "<!-- commands -->"
_JSON_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "keys and values",
    "null": "empty",
}
_TYPES = {
    Any: "anything",
    bool: "`true` or `false`",
    str: "text",
    int: "whole number",
    float: "number",
    Fraction: "fraction",
    date: "date",
    dict: "keys and values",
    list: "list",
    tuple: "list",
}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages whose text is a file of the checkout."""
    from mkdocs.structure.files import File

    for page, source in CHECKOUT_PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=from_checkout(text)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the text of a page with its tables of keys, and with links that work on the site."""
    place = (Path(page.file.src_uri)).parent
    generated = with_commands(with_key_tables(markdown))
    return without_outside_links(generated, place)


def from_checkout(text: str) -> str:
    """Return the text of a file at the root of the checkout as that of a page in ``docs``."""

    def moved(match: re.Match[str]) -> str:
        label, target, anchor = match.groups()
        here = os.path.relpath(ROOT / target, ROOT / "docs")
        return f"[{label}]({here}{anchor or ''})"

    return re.sub(r"!\[([^\]]*)\]\(docs/", r"![\1](", _LINK.sub(moved, text))


def without_outside_links(text: str, folder: Path) -> str:
    """Return a text in which links out of ``docs`` are only their labels.

    ``README.md`` and ``CHANGELOG.md`` are pages of the site, so links to them stay links.
    """
    pages = {source: page for page, source in CHECKOUT_PAGES.items()}

    def inside(match: re.Match[str]) -> str:
        label, target, anchor = match.groups()
        path = os.path.normpath(ROOT / "docs" / folder / target)
        outside = os.path.relpath(path, ROOT)
        if outside in pages:
            return f"[{label}]({os.path.relpath(pages[outside], folder)}{anchor or ''})"
        return match[0] if outside.startswith("docs" + os.sep) else label

    return _LINK.sub(inside, text)


def with_key_tables(text: str) -> str:
    """Return a text in which each marker is replaced by the table of the keys of its model."""
    return _KEYS.sub(lambda match: key_table(_model(match[1], match[2])), text)


def _model(module: str, name: str) -> type[BaseModel]:
    model = getattr(import_module(module), name)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError(f"{module}:{name} is not a pydantic model")
    return model


def key_table(model: type[BaseModel]) -> str:
    """Return a Markdown table of the keys of a model: value, default, meaning."""
    rows = [
        f"| `{field.alias or name}` | {value_of(field)} | {default_of(field)} |"
        f" {_escaped(field.description or '')} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows])


def value_of(field: FieldInfo) -> str:
    """Return which values a key takes, in words."""
    if field.annotation in (Fraction, date | None):
        return _type_in_words(field.annotation)  # which a schema can only describe as text
    schemas = [one.json_schema for one in field.metadata if isinstance(one, WithJsonSchema)]
    if schemas and schemas[0]:
        return _escaped(" or ".join(_schema_in_words(schemas[0])))
    return _escaped(_type_in_words(field.annotation))


def default_of(field: FieldInfo) -> str:
    """Return the default of a key as it is written in YAML, or ``required``."""
    if field.is_required():
        return "required"
    match field.default:
        case None | () | []:
            return "empty"
        case bool() as flag:
            return f"`{str(flag).lower()}`"
        case default:
            return f"`{default}`"


def _type_in_words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _type_in_words(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in arguments)
    if origin in (Union, UnionType):
        named = [_type_in_words(one) for one in arguments if one is not NoneType]
        return " or ".join(named) + (" or empty" if NoneType in arguments else "")
    if origin in (list, tuple):
        return "list"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "keys and values"
    return _TYPES[origin or annotation]


def _schema_in_words(schema: Mapping[str, Any]) -> list[str]:
    """Return the alternatives of a JSON Schema, an empty value last."""
    if "enum" in schema:
        return [", ".join(f"`{one}`" for one in schema["enum"])]
    if "anyOf" in schema:
        named = [word for one in schema["anyOf"] for word in _schema_in_words(one)]
        return sorted(dict.fromkeys(named), key="empty".__eq__)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return ["list" if kind == "array" else _JSON_TYPES[kind] for kind in kinds]


def with_commands(text: str) -> str:
    """Return a text in which the marker is replaced by a section for each command."""
    if _COMMANDS not in text:
        return text
    from series_assets.cli import main

    sections = [_section(name, main.commands[name]) for name in main.commands]
    return text.replace(_COMMANDS, "\n\n".join(sections))


def _section(name: str, command: click.Command) -> str:
    """Return the section of a command: its help, its usage and its options."""
    context = click.Context(command, info_name=f"series-assets {name}")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    rows = [
        f"| `{shown}` | {_escaped(text)} |"
        for option in command.params
        if isinstance(option, click.Option)
        for shown, text in filter(None, [option.get_help_record(context)])
    ]
    table = "\n".join(["| option | meaning |", "|---|---|", *rows] if rows else [])
    explained = (command.help or "").split("\n\n")
    help_text = "\n\n".join(" ".join(part.split()) for part in explained)
    parts = [f"### series-assets {name}", help_text, f"```text\n{usage}\n```", table]
    return "\n\n".join(parts)


def _escaped(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
