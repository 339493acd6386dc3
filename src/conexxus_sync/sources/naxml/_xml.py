"""
Reads XML of unknown origin: as a stream, within limits, without document types or entities.

Each element is freed once it was handed out, so memory does not grow with the file.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import attrs
from lxml import etree

from ._fault import Fault, NaxmlError


CHUNK = 64 * 1024
MAX_BYTES = 256 * 1024 * 1024
# From one freed element to the next: bounds memory, whatever lies between.
MAX_RECORD = 1024 * 1024

_DOCTYPE = b"<!DOCTYPE"
_UTF8_MARK = b"\xef\xbb\xbf"
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'>]*)["']""").match
# All that was seen in files of registers; in each, `<!DOCTYPE` has these very bytes.
ENCODINGS = ("utf-8", "iso-8859-1", "us-ascii")

# Of libxml2: https://gnome.pages.gitlab.gnome.org/libxml2/html/xmlerror_8h.html
_FAULTS = {
    5: Fault.SECOND_ROOT,
    9: Fault.ENCODING,
    26: Fault.ENTITY,
    27: Fault.ENTITY,
    32: Fault.ENCODING,
    81: Fault.ENCODING,
    114: Fault.TOO_DEEP,
}
_PLACE = re.compile(r",? line \d+, column \d+$")

Element = Any


@attrs.frozen(kw_only=True)
class Root:
    """
    The root of a document.

    Attributes:
        name: Without its namespace.
        namespaces: Those that it declares.
    """

    tag: str
    name: str
    namespace: str
    attributes: Mapping[str, str]
    namespaces: frozenset[str]


@attrs.define(kw_only=True)
class XmlStream:
    """
    The elements of a file that have certain names, as they end.

    Attributes:
        encoding: As declared; `utf-8` where nothing is.
    """

    file: BinaryIO = attrs.field(repr=False)
    root: Root
    encoding: str
    first: bytes = attrs.field(repr=False)
    _unfreed: int = attrs.field(init=False, default=0)

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, max_bytes: int = MAX_BYTES) -> Iterator["XmlStream"]:
        """
        Open the file and read its beginning.

        Raises:
            NaxmlError: It can't be read, is too large, or does not begin as XML.
                Whatever is raised while it is open names the file.
        """
        try:
            with path.open("rb") as file:
                if file.seek(0, 2) > max_bytes:
                    msg = f"it has more than {max_bytes:,} bytes"
                    raise NaxmlError(Fault.TOO_LARGE, msg)
                file.seek(0)
                first = file.read(CHUNK)
                encoding = _encoding_of(first)
                # It stands in front of the root, which begins in these bytes, or is refused.
                if _DOCTYPE in first:
                    msg = "it has a document type, which no register needs"
                    raise NaxmlError(Fault.DOCTYPE, msg)
                yield cls(file=file, root=_root_of(first), encoding=encoding, first=first)
        except OSError as exc:
            msg = f"it can't be read: {exc.strerror}"
            raise NaxmlError(Fault.UNREADABLE, msg, file=path.name) from exc
        except NaxmlError as exc:
            raise exc.of_file(path.name) from exc

    def elements(self, names: Collection[str]) -> Iterator[tuple[Element | None, Element]]:
        """
        Each child of the root, complete, after each of its own children; with the child of the
        root that it stands in. They are freed in groups.

        Args:
            names: So many bytes without an element of these local names are refused.

        Raises:
            NaxmlError: The file is not well-formed, or goes beyond a limit.
        """
        parser, root = _parser(self.root.tag), None

        try:
            for chunk in self._chunks():
                parser.feed(chunk)
                # Only the first one that is called so is the root.
                for _, element in parser.read_events():
                    root = element if root is None else root
                yield from self._ended(root, names)
        except etree.XMLSyntaxError as exc:
            raise _error_of(exc) from exc

        yield from self._ended(_closed(parser), names, is_whole=True)

    def _ended(
        self, root: Element, names: Collection[str], *, is_whole: bool = False
    ) -> Iterator[tuple[Element | None, Element]]:
        # What something follows has ended: an event for each end would cost a fifth of the time.
        while len(root):
            block, has_ended = root[0], is_whole or len(root) > 1

            if parts := block[:] if has_ended else block[:-1]:
                for it in parts:
                    yield block, it
                self._note(parts[-1], names)
                del block[: len(parts)]
            if not has_ended:
                return
            yield None, block
            self._note(block, names)
            del root[0]

    def _note(self, element: Element, names: Collection[str]) -> None:
        if name_of(element) in names:
            self._unfreed = 0

    def _chunks(self) -> Iterator[bytes]:
        chunk = self.first

        while chunk:
            self._unfreed += len(chunk)
            if self._unfreed > MAX_RECORD + CHUNK:
                msg = f"it has {MAX_RECORD:,} bytes without the end of a record"
                raise NaxmlError(Fault.RECORD_TOO_LARGE, msg)
            yield chunk
            chunk = self.file.read(CHUNK)


def name_of(element: Element) -> str:
    """
    Its name without the namespace.
    """
    return local_name(element.tag)


def refuse_within(element: Element, names: Iterable[str]) -> None:
    """
    Refuse an element that has others with one of these names in it.

    Raises:
        NaxmlError: It has.
    """
    for it in element.iterdescendants(*(f"{{*}}{name}" for name in names)):
        msg = f"{name_of(it)} is not known in {name_of(it.getparent())[:60]}"
        raise NaxmlError(Fault.UNKNOWN_BLOCK, msg, line=int(it.sourceline))


@lru_cache(maxsize=1024)
def local_name(tag: str) -> str:
    """
    Likewise, of a tag.
    """
    return tag.rpartition("}")[2]


def _parser(tag: str | None = None) -> Any:
    return etree.XMLPullParser(
        events=("start",),
        tag=tag,
        recover=False,
        resolve_entities="internal",
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        # The layout of a file; a text is read without the spaces around it.
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
    )


def _closed(parser: Any) -> Element:
    try:
        return parser.close()
    except etree.XMLSyntaxError as exc:
        # What came so far was well-formed.
        raise _error_of(exc, Fault.TRUNCATED) from exc


def _encoding_of(first: bytes) -> str:
    declared = _DECLARED(first.removeprefix(_UTF8_MARK))
    encoding = ENCODINGS[0] if declared is None else declared[1].decode("ascii", "replace").lower()

    if encoding not in ENCODINGS or first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        msg = f"it is not in one of the encodings {', '.join(ENCODINGS)}: {encoding[:40]!r}"
        raise NaxmlError(Fault.ENCODING, msg, line=1)
    if first.startswith(_UTF8_MARK) and encoding == "iso-8859-1":
        msg = f"it begins with the mark of utf-8 and declares {encoding}"
        raise NaxmlError(Fault.ENCODING, msg, line=1)

    return encoding


def _root_of(first: bytes) -> Root:
    parser, error = _parser(), None

    try:
        parser.feed(first)
    except etree.XMLSyntaxError as exc:
        error = exc

    for _, root in parser.read_events():
        return Root(
            tag=root.tag,
            name=name_of(root),
            namespace=etree.QName(root).namespace or "",
            attributes=dict(root.attrib),
            namespaces=frozenset(filter(None, root.nsmap.values())),
        )

    if error is not None:
        raise _error_of(error) from error
    if len(first) < CHUNK and (not first or b"<" in first[: len(_UTF8_MARK) + 1]):
        _closed(parser)

    msg = f"no element begins in its first {CHUNK:,} bytes"
    raise NaxmlError(Fault.MALFORMED, msg)


def _error_of(exc: Any, fault: Fault | None = None) -> NaxmlError:
    text = _PLACE.sub("", str(exc.msg)).strip() or "it is not well-formed"

    return NaxmlError(fault or _FAULTS.get(exc.code, Fault.MALFORMED), text, line=exc.lineno)
