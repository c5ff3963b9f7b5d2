"""The language server: the protocol's requests answered from what this folder reads out of a text.

Positions are converted by pygls in the units that the editor asked for, UTF-16 unless it agreed on others.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path
from pygls.workspace import PositionCodec

from archspec import __version__
from archspec.diagnostics import Diagnostic
from archspec.editor.completion import Item, completions
from archspec.editor.edits import Edit, Refused, fixes, formatted, renamable, rename
from archspec.editor.hover import hover
from archspec.editor.names import at, given_at, places
from archspec.editor.reading import Reading, file_of, read, shown
from archspec.source import SourceFile, Span

T = TypeVar("T")

PAUSE = 0.15
"""Seconds without typing after which problems are looked for."""

KINDS = {
    "definition": lsp.CompletionItemKind.Function,
    "language": lsp.CompletionItemKind.Keyword,
    "size": lsp.CompletionItemKind.Constant,
    "state": lsp.CompletionItemKind.Variable,
    "local": lsp.CompletionItemKind.Variable,
    "argument": lsp.CompletionItemKind.Variable,
    "data": lsp.CompletionItemKind.Field,
    "key": lsp.CompletionItemKind.Property,
    "value": lsp.CompletionItemKind.EnumMember,
}


class Server(LanguageServer):
    """A server that keeps what it has read of every open text, and what it read when the text could last be read."""

    def __init__(self) -> None:
        super().__init__("archspec", __version__)
        self.readings: dict[str, tuple[int | None, Reading]] = {}
        self.last: dict[str, Reading] = {}

    def reading(self, uri: str) -> Reading:
        """The text as it stands now, read."""
        document = self.workspace.get_text_document(uri)
        known = self.readings.get(uri)
        if known is None or known[0] != document.version or known[1].source.text != document.source:
            found = read(document.source, to_fs_path(uri) or uri)
            self.readings[uri] = (document.version, found)
            if found.program is not None or uri not in self.last or (found.spec and not self.last[uri].program):
                self.last[uri] = found
        return self.readings[uri][1]

    def offset(self, uri: str, position: lsp.Position) -> int:
        """How many characters stand before a position."""
        return self.workspace.get_text_document(uri).offset_at_position(position)

    def publish(self, uri: str) -> None:
        """Tell the editor the problems of a text."""
        reading = self.reading(uri)
        found = [self.diagnostic(problem, span) for problem, span in shown(reading)]
        version = self.workspace.get_text_document(uri).version
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, version))

    def diagnostic(self, problem: Diagnostic, span: Span) -> lsp.Diagnostic:
        """A problem as the protocol has it: the message, then notes and the cure on lines of their own."""
        lines = [problem.message, problem.label, *problem.notes, problem.help]
        return lsp.Diagnostic(
            range=ranged(span, self.workspace.position_codec),
            message="\n".join(filter(None, lines)),
            severity=lsp.DiagnosticSeverity.Error,
            code=problem.code,
            source="archspec",
        )

    def edit(self, edit: Edit) -> lsp.TextEdit:
        """An edit as the protocol has it."""
        return lsp.TextEdit(ranged(edit.span, self.workspace.position_codec), edit.text)


def ranged(span: Span, codec: PositionCodec) -> lsp.Range:
    """A span as a range of lines and characters; an empty one is a character wide."""
    lines = span.source.text.splitlines(keepends=True) or [""]
    return lsp.Range(
        *(codec.position_to_client_units(lines, position(span.source, at)) for at in (span.start, span.end))
    )


def position(source: SourceFile, offset: int) -> lsp.Position:
    """An offset as a line and a character, counted from 0."""
    line, column = source.position(min(offset, len(source.text)))
    return lsp.Position(line - 1, column - 1)


def make() -> Server:
    """The server with all it answers."""
    server = Server()
    for register in (problems, help_on_names, changes):
        register(server)
    return server


def problems(server: Server) -> None:
    """Problems: at once when a text is opened or saved, after a pause while it is typed."""

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(found: lsp.DidOpenTextDocumentParams) -> None:
        server.publish(found.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(found: lsp.DidSaveTextDocumentParams) -> None:
        for uri in server.workspace.text_documents:  # others may extend it
            server.readings.pop(uri, None)
            server.publish(uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def typed(found: lsp.DidChangeTextDocumentParams) -> None:
        uri, version = found.text_document.uri, found.text_document.version
        await asyncio.sleep(PAUSE)
        if uri in server.workspace.text_documents and server.workspace.get_text_document(uri).version == version:
            server.publish(uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(found: lsp.DidCloseTextDocumentParams) -> None:
        uri = found.text_document.uri
        server.readings.pop(uri, None)
        server.last.pop(uri, None)
        server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))


def help_on_names(server: Server) -> None:
    """What is known of a name: hover, where it is given, its places, completion."""

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hovered(asked: lsp.HoverParams) -> lsp.Hover | None:
        uri = asked.text_document.uri
        found = hover(server.reading(uri), server.offset(uri, asked.position), server.last[uri])
        if found is None:
            return None
        text, span = found
        return lsp.Hover(
            lsp.MarkupContent(lsp.MarkupKind.Markdown, text), ranged(span, server.workspace.position_codec)
        )

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def defined(asked: lsp.DefinitionParams) -> lsp.Location | None:
        uri = asked.text_document.uri
        reading = server.reading(uri)
        place = at(reading, server.offset(uri, asked.position))
        span = given_at(reading, place.thing) if place else None
        return None if span is None else location(uri, reading, span, server.workspace.position_codec)

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def referred(asked: lsp.ReferenceParams) -> list[lsp.Location]:
        uri = asked.text_document.uri
        reading = server.reading(uri)
        place = at(reading, server.offset(uri, asked.position))
        found = [one.span for one in places(reading) if place and one.thing == place.thing]
        return [lsp.Location(uri, ranged(span, server.workspace.position_codec)) for span in found]

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION)
    def completed(asked: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        uri = asked.text_document.uri
        reading = server.reading(uri)
        before = reading.source.text[: server.offset(uri, asked.position)].replace("\r\n", "\n")
        return [completion(item) for item in completions(reading, before, server.last[uri])]


def completion(item: Item) -> lsp.CompletionItem:
    """A completion as the protocol has it; keys come with their colon."""
    text = f"{item.text}: " if item.kind == "key" else item.text
    return lsp.CompletionItem(item.text, kind=KINDS[item.kind], detail=item.detail or item.kind, insert_text=text)


def location(uri: str, reading: Reading, span: Span, codec: PositionCodec) -> lsp.Location | None:
    """Where a span stands: in this text, or in a file."""
    if span.source.path == reading.source.path:
        return lsp.Location(uri, ranged(span, codec))
    path = file_of(span)
    return None if path is None else lsp.Location(from_fs_path(str(path)) or "", ranged(span, codec))


def changes(server: Server) -> None:
    """Changes of the text: renaming, quick fixes, canonical form."""

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepared(asked: lsp.PrepareRenameParams) -> lsp.Range | None:
        uri = asked.text_document.uri
        span = willing(lambda: renamable(server.reading(uri), server.offset(uri, asked.position))).span
        return ranged(span, server.workspace.position_codec)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def renamed(asked: lsp.RenameParams) -> lsp.WorkspaceEdit:
        uri = asked.text_document.uri
        found = willing(lambda: rename(server.reading(uri), server.offset(uri, asked.position), asked.new_name))
        return lsp.WorkspaceEdit(changes={uri: [server.edit(one) for one in found]})

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])
    )
    def acted(asked: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = asked.text_document.uri
        start, end = (server.offset(uri, one) for one in (asked.range.start, asked.range.end))
        return list(actions(server, uri, start, end))

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def shaped(asked: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        reading = server.reading(asked.text_document.uri)
        text = formatted(reading)
        if text is None or text == reading.source.text:
            return []
        return [server.edit(Edit(Span(reading.source, 0, len(reading.source.text)), text))]


def actions(server: Server, uri: str, start: int, end: int) -> Iterator[lsp.CodeAction]:
    """The quick fixes of a range."""
    for fix in fixes(server.reading(uri), start, end):
        problem = server.diagnostic(fix.problem, fix.edit.span)
        change = lsp.WorkspaceEdit(changes={uri: [server.edit(fix.edit)]})
        yield lsp.CodeAction(fix.title, kind=lsp.CodeActionKind.QuickFix, diagnostics=[problem], edit=change)


def willing(ask: Callable[[], T]) -> T:
    """What was asked for; a refusal as the protocol's error, which editors show."""
    try:
        return ask()
    except Refused as error:
        raise JsonRpcException(str(error), code=-32803) from None
