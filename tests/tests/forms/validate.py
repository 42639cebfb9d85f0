"""Reads documents, one a line, and says of each what the published schemas have against it.

Each line is JSON: {"form": ..., "document": ...}, the document as text. The answer is one line of JSON for each: a list of
faults, empty when there are none. OCSF is held against the schema that ocsf-json-schema ships, with the profiles that a
document declares, ECS against the fields of @elastic/ecs, CloudEvents against the reader of the CloudEvents SDK. Falco and
CEF have no published schema: they are held against what falcosidekick decodes and the text of the specification.
"""

import ipaddress
import json
import re
import sys
from datetime import datetime
from pathlib import Path

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

OCSF = "1.8.0"
ECS = json.loads(Path(sys.argv[1]).read_text())
ECS_VERSION = "9.4.0"
# Where a schema is silent, a document has a name of its own.
OURS = "picket"


class Ocsf:
    def __init__(self):
        self.schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=OCSF))
        self.validators = {}

    def faults(self, text):
        document = json.loads(text)
        metadata = document.get("metadata", {})
        if metadata.get("version") != OCSF:
            yield f"metadata.version is {metadata.get('version')}"
        key = (document.get("class_uid"), tuple(metadata.get("profiles", [])))
        if key not in self.validators:
            name = self.schema.lookup_class_name_from_uid(key[0])
            schema = self.schema.get_class_schema(name, list(key[1]))
            Draft202012Validator.check_schema(schema)
            self.validators[key] = Draft202012Validator(schema)
        for error in self.validators[key].iter_errors(document):
            yield f"{error.json_path}: {error.message}"
        expected = document["class_uid"] * 100 + document.get("activity_id", -1)
        if document.get("type_uid") != expected:
            yield f"type_uid is not {expected}"
        for observable in document.get("observables", []):
            found = at(document, observable["name"])
            if found != observable.get("value"):
                yield f"{observable['name']} is {found!r}, not {observable.get('value')!r}"


def at(document, path):
    """What is at a path such as `resources[0].name`."""
    for step in re.findall(r"[^.\[\]]+", path):
        try:
            document = document[int(step) if step.isdigit() else step]
        except (KeyError, IndexError, TypeError):
            return None
    return document


class Ecs:
    def faults(self, text):
        document = json.loads(text)
        for name, field in ECS.items():
            if field.get("required") and at(document, name) is None:
                yield f"{name} is missing"
        if at(document, "ecs.version") != ECS_VERSION:
            yield f"ecs.version is {at(document, 'ecs.version')}"
        yield from self.walk("", document)
        event = document.get("event", {})
        kinds = {it["name"]: it for it in ECS["event.category"]["allowed_values"]}
        expected = set()
        for category in event.get("category", []):
            expected.update(kinds.get(category, {}).get("expected_event_types", []))
        for kind in event.get("type", []):
            if kind not in expected:
                yield f"event.type {kind} is not expected of {event.get('category')}"

    def walk(self, path, value):
        if path == OURS:
            return
        if isinstance(value, dict):
            if path and ECS.get(path, {}).get("type") not in (None, "object", "nested"):
                yield f"{path} is an object"
            for key, inner in value.items():
                yield from self.walk(f"{path}.{key}" if path else key, inner)
            return
        field = ECS.get(path)
        if field is None:
            yield f"{path} is no field"
            return
        is_list = isinstance(value, list)
        if is_list != ("array" in field["normalize"]):
            yield f"{path} is {'a list' if is_list else 'no list'}"
        for one in value if is_list else [value]:
            yield from self.scalar(path, field, one)

    def scalar(self, path, field, value):
        kind = field["type"]
        is_right = {
            "keyword": lambda: isinstance(value, str) and len(value) <= field.get("ignore_above", 32766),
            "match_only_text": lambda: isinstance(value, str),
            "wildcard": lambda: isinstance(value, str),
            "boolean": lambda: isinstance(value, bool),
            "long": lambda: type(value) is int and -(2**63) <= value < 2**63,
            "float": lambda: type(value) in (int, float),
            "ip": lambda: bool(ipaddress.ip_address(value)),
            "date": lambda: bool(datetime.fromisoformat(value)),
        }
        try:
            if not is_right[kind]():
                yield f"{path} is {value!r}, no {kind}"
        except ValueError:
            yield f"{path} is {value!r}, no {kind}"
        allowed = [it["name"] for it in field.get("allowed_values", [])]
        if allowed and value not in allowed:
            yield f"{path} is {value!r}, none of {allowed}"
        if "pattern" in field and not re.search(field["pattern"], value):
            yield f"{path} is {value!r}, unlike {field['pattern']}"


class CloudEvents:
    # Section "Type System" of the specification, at String.
    CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
    NAME = re.compile("^[a-z0-9]+$")
    REFERENCE = re.compile(r"^[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+$")

    # RFC 3339, which the reader takes more than.
    TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")

    def faults(self, text):
        time = json.loads(text).get("time")
        if time is not None and not self.TIME.match(time):
            yield f"time is {time!r}"
        try:
            event = JSONFormat().read(CloudEvent, text.encode())
        except Exception as error:
            yield f"{type(error).__name__}: {getattr(error, 'errors', error)}"
            return
        for name, value in event.get_attributes().items():
            if not self.NAME.match(name):
                yield f"{name} is no name of an attribute"
            if isinstance(value, str) and self.CONTROLS.search(value):
                yield f"{name} has characters that attributes may not have"
        if not self.REFERENCE.match(event.get_source()):
            yield "source is no reference"
        if not isinstance(event.get_data(), dict):
            yield "data is no object"


class Falco:
    """types.FalcoPayload of falcosidekick."""

    PRIORITIES = "Emergency Alert Critical Error Warning Notice Informational Debug".split()
    TEXTS = ["output", "priority", "rule", "time", "source", "hostname"]

    def faults(self, text):
        document = json.loads(text)
        for key in self.TEXTS:
            if not isinstance(document.get(key, ""), str):
                yield f"{key} is no text"
        for key in ["output", "priority", "rule", "source"]:
            if not document.get(key):
                yield f"{key} is missing"
        for key in document.keys() - {*self.TEXTS, "tags", "output_fields"}:
            yield f"{key} is unknown"
        if document.get("priority") not in self.PRIORITIES:
            yield f"priority is {document.get('priority')!r}"
        if "time" in document:
            datetime.fromisoformat(document["time"])
        if not all(isinstance(it, str) for it in document.get("tags", [])):
            yield "a tag is no text"
        for key, value in document.get("output_fields", {}).items():
            if type(value) not in (str, int, float):
                yield f"output_fields {key} is {type(value).__name__}"


class Cef:
    """Micro Focus ArcSight Common Event Format, revision 26."""

    KEYS = set(
        "rt start end externalId cat act msg dvchost cnt reason src dst shost dhost suser duser dpt proto c6a2 c6a3 "
        "cs1 cs2 cs3 cs4 cs5 cs6 cn1 flexString1 flexString2".split()
    )
    NUMBERS = {"rt", "start", "end", "cnt", "dpt", "cn1"}
    LABELLED = re.compile(r"^(cs\d|cn\d|c6a\d|flexString\d)$")

    def faults(self, text):
        if re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text):
            yield "it has control characters"
        parts = re.split(r"(?<!\\)(?:\\\\)*\|", text, maxsplit=7)
        if len(parts) != 8 or parts[0] != "CEF:0":
            yield f"its header has {len(parts) - 1} fields"
            return
        for part in parts[1:7]:
            if not part or re.sub(r"\\[\\|]", "", part).count("\\"):
                yield f"{part!r} in the header is empty or ill escaped"
        if not re.fullmatch(r"10|\d", parts[6]):
            yield f"its severity is {parts[6]!r}"
        fields = {}
        keys = list(re.finditer(r"(?:^| )(\w+)=", parts[7]))
        for key, after in zip(keys, [*keys[1:], None]):
            value = parts[7][key.end() : after.start() if after else None]
            if re.search(r"[\\=]", re.sub(r"\\[\\=nr]", "", value)):
                yield f"{key[1]} is ill escaped: {value!r}"
            if key[1] in fields:
                yield f"{key[1]} is there twice"
            fields[key[1]] = value
        for key, value in fields.items():
            if not value or key.removesuffix("Label") not in self.KEYS:
                yield f"{key} is empty or unknown"
            if key in self.NUMBERS and not value.isdigit():
                yield f"{key} is {value!r}, no number"
            if self.LABELLED.match(key) and f"{key}Label" not in fields:
                yield f"{key} has no label"
            if key in ("src", "dst"):
                ipaddress.IPv4Address(value)
            if key in ("c6a2", "c6a3"):
                ipaddress.IPv6Address(value)


class Json:
    def faults(self, text):
        if json.loads(text)["kind"] not in ("event", "gap"):
            yield "kind is none"


FORMS = {it.__name__.lower(): it() for it in [Json, CloudEvents, Ocsf, Ecs, Falco, Cef]}

for line in sys.stdin:
    task = json.loads(line)
    document = task["document"]
    faults = ["it has more than one line"] if re.search("[\r\n]", document) else []
    try:
        faults += FORMS[task["form"]].faults(document)
    except Exception as error:
        faults.append(f"{type(error).__name__}: {error}")
    print(json.dumps(faults))
