"""The form by which an order is placed: its fields, made from the schema of the type, and the body it stands for.

A field is named as the order service names it in its errors, like `lines.0.quantity`: each error finds its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.pages.language import Formats
from portal.pages.order_fields import label_of, option_of
from portal.pages.written import exact, whole

LINES_FIRST, LINES_MAX = 3, 50
PERCENTS = ("discount", "tax_rate")
"""Written as percents in the form, as fractions in the body."""
OF_LINE = ("item", "description", "quantity", "unit", "unit_price", *PERCENTS)
NEEDED_OF_LINE = ("item", "quantity", "unit", "unit_price")


@dataclass(frozen=True)
class Field:
    """One of the type's own."""

    name: str
    label: str
    kind: str
    """text, number, date, checkbox or select."""
    required: bool
    options: Sequence[tuple[str, str]] = ()
    attributes: Mapping[str, Any] | None = None


def fields_of(schema: Mapping[str, Any], fmt: Formats) -> list[Field]:
    """Of the members of `fields`, in the order of the schema. What no form can hold, like a list, is left out."""
    required = set(schema.get("required", ()))
    found = []
    for name, member in schema.get("properties", {}).items():
        label = label_of(name, member, fmt)
        if "enum" in member:
            options = [(str(each), option_of(each, member, fmt)) for each in member["enum"]]
            options = options if name in required else [("", ""), *options]
            found.append(Field(f"fields.{name}", label, "select", name in required, options))
        elif member.get("type") in ("string", "integer", "number", "boolean"):
            found.append(Field(f"fields.{name}", label, _kind(member), name in required, (), _attributes(member)))
    return found


def _kind(member: Mapping[str, Any]) -> str:
    if member.get("format") == "date":
        return "date"
    return {"string": "text", "boolean": "checkbox"}.get(member["type"], "number")


def _attributes(member: Mapping[str, Any]) -> dict[str, Any]:
    names = {"minLength": "minlength", "maxLength": "maxlength", "minimum": "min", "maximum": "max"}
    found = {ours: member[theirs] for theirs, ours in names.items() if theirs in member}
    if member["type"] in ("integer", "number"):
        found["step"] = 1 if member["type"] == "integer" else "any"
    return found


class Filled:
    """What somebody wrote into the form."""

    def __init__(self, values: Mapping[str, str], *, more_lines: int = 0) -> None:
        self.values = values
        written = [whole(name.split(".")[1]) for name in values if name.startswith("lines.")]
        numbers = [number + 1 for number in written if number is not None]
        self.line_count = min(max([LINES_FIRST, *numbers]) + more_lines, LINES_MAX)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def body(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """As `POST /orders` takes it. What is wrong in it, the order service says."""
        body: dict[str, Any] = {
            "client": {"code": self["client.code"], "name": self["client.name"]},
            "order_type": self["order_type"],
            "title": self["title"],
            "currency": self["currency"].upper(),
            "fields": self._fields(schema),
            "lines": [self._line(number) for number in self.numbers],
        }
        if self["client.tax_id"]:
            body["client"]["tax_id"] = self["client.tax_id"]
        optional = {name: self[name] for name in ("external_id", "requested_date") if self[name]}
        priority = whole(self["priority"])
        return body | optional | ({} if priority is None else {"priority": priority})

    @property
    def numbers(self) -> list[int]:
        """Of the lines in which something is written; of the first, when nothing is."""
        return [number for number in range(self.line_count) if self._is_written(number)] or [0]

    @property
    def is_ready(self) -> bool:
        """Whether the lines that are begun can be reckoned up."""
        return all(self[f"lines.{number}.{name}"] for number in self.numbers for name in NEEDED_OF_LINE)

    def in_form(self, errors: Mapping[str, str]) -> dict[str, str]:
        """The errors by the form's own names: the body leaves empty lines out."""
        numbers = self.numbers
        found = {}
        for name, reason in errors.items():
            parts = name.split(".")
            if parts[0] == "lines" and len(parts) > 1 and parts[1].isdigit() and int(parts[1]) < len(numbers):
                parts[1] = str(numbers[int(parts[1])])
            found[".".join(parts)] = reason
        return found

    def _is_written(self, number: int) -> bool:
        return any(self[f"lines.{number}.{name}"] for name in OF_LINE if name not in PERCENTS)

    def _line(self, number: int) -> dict[str, Any]:
        given = {name: self[f"lines.{number}.{name}"] for name in OF_LINE}
        line = {
            name: value.replace(",", "") if name in ("quantity", "unit_price") else value
            for name, value in given.items()
        }
        return {name: _fraction(value) if name in PERCENTS else value for name, value in line.items() if value}

    def _fields(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, member in schema.get("properties", {}).items():
            text = self[f"fields.{name}"]
            if member.get("type") == "boolean":
                found[name] = bool(text)
            elif text:
                found[name] = _of_type(text, member)
        return found


def _of_type(text: str, member: Mapping[str, Any]) -> Any:
    """What is no number, or one that JSON has no word for, stays text, and is refused as such."""
    if "enum" in member:
        return next((each for each in member["enum"] if str(each) == text), text)
    if member.get("type") == "integer":
        found = whole(text.removeprefix("-"))
        return text if found is None else found * (-1 if text.startswith("-") else 1)
    if member.get("type") == "number":
        number = exact(text)
        return text if number is None else float(number)
    return text


def _fraction(percent: str) -> str:
    number = exact(percent.rstrip("%"))
    return percent if number is None else f"{number / 100:f}"
