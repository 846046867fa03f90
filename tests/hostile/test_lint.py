"""Foreign text reaches a widget only as Safe or Content: looked for in the source, so that it stays so.

What counts as harmless in a sink (a Static, a toast, a title …): a constant, a catalogue's message, something made by
tui/safe.py or Content, and a name that is nothing else within its function or is annotated as Content or Safe.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tui_chat.tui

ROOT = Path(tui_chat.tui.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
MAKE_SAFE = {"safe.py", "themes.py", "render/cells.py", "render/formatting.py"}
"""Where `Safe(…)` may be written: these only cut up what is Safe already, or know it to be our own."""

WIDGETS = {
    *("Static", "Label", "Button", "Checkbox", "RadioButton", "Option", "Selection", "Collapsible", "TabPane", "Tab"),
    *("Placeholder", "Markdown", "Tooltip", "Link", "ListItem", "DiscoveryHit"),
}
"""Constructors that parse markup, or pass controls, in what they are given first."""
METHODS = {"notify", "add_option", "prompt", "write", "add_row", "add_column"}
ATTRIBUTES = {
    *("border_title", "border_subtitle", "placeholder", "tooltip", "title", "sub_title", "label"),
}
MAKERS = {
    *("content", "one_line", "template", "fill", "line", "own", "word", "lines", "join", "cut", "repeat"),
    "number",
    "strftime",
    *("_", "ngettext", "Content", "assemble", "styled", "clean_name", "clean_text", "frame_title"),
    *("conversation_name", "preview_text", "tip_text", "short", "clock", "day", "elide", "fit"),
}
TRUSTED_TYPES = {"Content", "Safe"}


def name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return name_of(function)
    return ""


def trusted_annotation(node: ast.expr | None) -> bool:
    """Content, Safe, or either or None."""
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return all(trusted_annotation(side) or ast.unparse(side) == "None" for side in (left, right))
        case ast.Subscript(value=outer, slice=inner) if name_of(outer) in ("list", "Sequence", "Iterable"):
            return trusted_annotation(inner)
        case ast.Constant(value=str(text)):
            return trusted_annotation(ast.parse(text, mode="eval").body)
    return node is not None and name_of(node) in TRUSTED_TYPES


def within(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below a node; the functions below it, but not what is in them."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from within(child)


class Function:
    """What the names of one function (or of the module) are made of."""

    def __init__(self, node: ast.AST, module: "Module", around: "Function | None" = None) -> None:
        self.module = module
        self.around = around
        self.annotated: dict[str, ast.expr | None] = {}
        self.assigned: dict[str, list[ast.expr]] = {}
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                self.annotated[argument.arg] = argument.annotation
        for inner in within(node):
            match inner:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self.assign(target, value)
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    self.annotated[name] = annotation
                case ast.NamedExpr(target=target, value=value):
                    self.assign(target, value)

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
                for one, other in zip(targets, values, strict=True):
                    self.assign(one, other)
            case ast.Tuple(elts=targets), _:
                for one in targets:
                    self.assign(one, value)
            case ast.Name(id=name), _:
                self.assigned.setdefault(name, []).append(value)
            case ast.Attribute(attr=name), _:
                self.module.attributes.setdefault(name, []).append((value, self))

    def harmless(self, node: ast.expr, depth: int = 0) -> bool:
        if depth > 8:
            return False
        match node:
            case ast.Constant():
                return True
            case ast.Call(func=ast.Attribute(value=value, attr="stylize" | "stylize_before")):
                return self.harmless(value, depth + 1)
            case ast.Call(func=function):
                made = name_of(function)
                return made in MAKERS or made in TRUSTED_FUNCTIONS or trusted_annotation(self.module.returns.get(made))
            case ast.Subscript(value=value) | ast.ListComp(elt=value):
                return self.harmless(value, depth + 1)
            case ast.JoinedStr(values=values):
                return all(self.harmless(value, depth + 1) for value in values)
            case ast.FormattedValue(value=value):
                return self.harmless(value, depth + 1)
            case ast.IfExp(body=body, orelse=other):
                return self.harmless(body, depth + 1) and self.harmless(other, depth + 1)
            case ast.BoolOp(values=values):
                return all(self.harmless(value, depth + 1) for value in values)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return self.harmless(left, depth + 1) or self.harmless(right, depth + 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.harmless(left, depth + 1) and self.harmless(right, depth + 1)
            case ast.Attribute(value=value, attr="plain"):
                return self.harmless(value, depth + 1)
            case ast.Attribute(attr=name):
                if name in self.module.annotations:
                    return trusted_annotation(self.module.annotations[name])
                if trusted_annotation(self.module.returns.get(name)):
                    return True
                given = self.module.attributes.get(name, [])
                return bool(given) and all(scope.harmless(value, depth + 1) for value, scope in given)
            case ast.Name(id=name):
                if name in self.annotated:
                    return trusted_annotation(self.annotated[name])
                if name not in self.assigned and self.around is not None:
                    return self.around.harmless(node, depth + 1)
                values = self.assigned.get(name, [])
                return bool(values) and all(self.harmless(value, depth + 1) for value in values)
        return False


def trusted_functions() -> set[str]:
    """Functions of tui whose every definition says that it returns Content or Safe."""
    returns: dict[str, list[ast.expr | None]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                returns.setdefault(node.name, []).append(node.returns)
    return {name for name, found in returns.items() if all(trusted_annotation(node) for node in found)}


TRUSTED_FUNCTIONS = trusted_functions()


class Module:
    """What the functions and attributes of one module are."""

    def __init__(self, tree: ast.Module) -> None:
        self.returns: dict[str, ast.expr | None] = {}
        self.annotations: dict[str, ast.expr] = {}
        self.attributes: dict[str, list[tuple[ast.expr, Function]]] = {}
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name, returns=returns) | ast.AsyncFunctionDef(name=name, returns=returns):
                    self.returns[name] = returns
                case ast.AnnAssign(target=target, annotation=annotation):
                    self.annotations[name_of(target)] = annotation
        self.scopes: list[tuple[ast.AST, Function]] = [(tree, Function(tree, self))]
        self.enter(tree, self.scopes[0][1])

    def enter(self, node: ast.AST, around: Function) -> None:
        """Note the functions directly within, then those within them."""
        for inner in within(node):
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                scope = Function(inner, self, around)
                self.scopes.append((inner, scope))
                self.enter(inner, scope)

    def scope_of(self, line: int) -> Function:
        """The innermost function around a line."""
        found = self.scopes[0][1]
        for node, scope in self.scopes[1:]:
            if node.lineno <= line <= (node.end_lineno or 0):  # type: ignore[attr-defined]
                found = scope
        return found


def faults(source: str) -> list[str]:
    """Sinks in a module that are given something that may be foreign."""
    tree = ast.parse(source)
    module = Module(tree)
    found: list[str] = []
    for node in ast.walk(tree):
        sinks: list[ast.expr] = []
        match node:
            case ast.Call(func=function, args=args, keywords=keywords):
                called = name_of(function)
                if ast.unparse(function).startswith("super()."):
                    continue
                if called == "Hit":
                    sinks = [*args[1:2], *(k.value for k in keywords if k.arg in ("text", "help"))]
                elif called in WIDGETS or (called in METHODS and isinstance(function, ast.Attribute)):
                    sinks = [*args[:1], *(k.value for k in keywords if k.arg in ("title", *ATTRIBUTES))]
                else:
                    sinks = [k.value for k in keywords if k.arg in ("placeholder", "tooltip")]
                if called in ("own", "word", "Content"):
                    sinks = list(args)
            case ast.Assign(targets=targets, value=value):
                if any(isinstance(target, ast.Attribute) and target.attr in ATTRIBUTES for target in targets):
                    sinks = [value]
        for sink in sinks:
            inner = sink.value if isinstance(sink, ast.Starred) else sink
            if not module.scope_of(inner.lineno).harmless(inner):
                found.append(f"line {inner.lineno}: {ast.unparse(inner)[:80]}")
    return found


def test_safe_is_made_in_few_places() -> None:
    makers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and name_of(node.func) == "Safe"
    }
    assert makers == MAKE_SAFE


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name != "safe.py"], ids=lambda path: path.stem)
def test_no_sink_is_given_a_foreign_string(path: Path) -> None:
    assert faults(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "def f(name: str) -> None:\n    Static(name)",
        "def f(name):\n    Static(f'{name}')",
        "def f(self, name: str) -> None:\n    self.notify('Deleted ' + name)",
        "def f(self, name: str) -> None:\n    self.app.notify(_('Deleted {name}').format(name=name))",
        "def f(self) -> None:\n    self.border_title = self.conversation.name",
        "def f(self, name: str) -> None:\n    shown = _('x')\n    shown = name\n    Label(shown)",
        "def f(self, name: str) -> None:\n    Input(placeholder=name)",
        "def f(self, name: str) -> None:\n    self.notify('x', title=name)",
        "def f(name: str) -> None:\n    own(name)",
        "def f(name: str) -> None:\n    Content(name)",
        "def f(self, name: str) -> None:\n    self.name = name\n    Static(self.name)",
        "def f(name: str) -> None:\n    a, b = _('x'), name\n    Label(b)",
        "def f(name: str) -> None:\n    Option('%s' % name)",
    ],
)
def test_it_finds_what_it_looks_for(source: str) -> None:
    assert faults(source)


@pytest.mark.parametrize(
    "source",
    [
        "Static('constant')",
        "def f(name: Content) -> None:\n    Static(name)",
        "def f(self, name: str) -> None:\n    self.notify(template(_('{x} went'), x=name))",
        "def f(self, name: str) -> None:\n    shown = one_line(name) if name else _('nobody')\n    Label(shown)",
        "def f(self) -> None:\n    self.border_title = None",
        "def f(name: Safe | None) -> None:\n    Static(name or '')",
        "def f(self, name: Content) -> None:\n    self.text = name\n    Static(self.text.stylize('bold'))",
        "def f(name: str) -> None:\n    a, b = _('x'), name\n    Label(a)",
        "def f() -> None:\n    Label('=' * 8)",
    ],
)
def test_it_lets_pass_what_is_harmless(source: str) -> None:
    assert not faults(source)
