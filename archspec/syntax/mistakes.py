"""What is wrong with an equation, in words: one row for every mistake, with texts that make it.

The examples are the test of the row, and for the first group also its rule: the parser's message for a text it cannot
read is that of the row whose example stops the parser in the same way (after Lark's `match_examples`). The others are
found while lines are joined (`layout.py`) or the tree is built (`build.py`). `{found}` is what stands at the place.
"""

from dataclasses import dataclass

from archspec.diagnostics import Diagnostic
from archspec.source import Span


@dataclass(frozen=True)
class Mistake:
    """One kind of mistake; `read` says what the examples are read as: body, expression, stack or heading."""

    code: str
    message: str
    help: str
    examples: tuple[str, ...]
    read: str = "body"

    def at(self, span: Span, found: str = "", help: str = "") -> Diagnostic:
        """The mistake at a place."""
        return Diagnostic(
            self.code, self.message.format(found=found), span, help=(help or self.help).format(found=found)
        )


UNREADABLE = (
    Mistake("E0120", "a value is missing before {found}",
            "finish the expression; to go on in the next line, indent it deeper",
            ("x +", "h = a *\ny", "f(x +)", "a @ -", "x if", "x if c else", "not", "x ->", "h =>", "x -> ", "0..",
             "x ** ", "a <", "x -> -> f", "(a + )", "a + * b", "a / / b", "x[j in]", "sum[j in](x[j])", "a and or b",
             "a < < b", "f(x = )", "f(x, y =)")),
    Mistake("E0121", "nothing follows `=`", "write the value, `h = f(x)`",
            ("h =", "h =\nx", "q, k =\n", "h = # comment")),
    Mistake("E0122", "two values stand side by side, without an operator before {found}",
            "write what joins them, as in `2 * x`, or put each statement on a line of its own",
            ("2x", "a b", "h = a b", "f(x y)", "f(x) y", "(a b)", "x[j] y", "2 (3) 4", "a + b c", "(0, 1 2)",
             "\"a\" b", "inf x", "f(x) 3", "x -> f g", "a if c else b d", "x[j k]", "1_000", "a + b (c) d",
             "f(a = b c)", "x true", "x 'a'", "x inf", "x -> f 3", "a < b 3", "a and b 3", "x[j 3]", "a not b")),
    Mistake("E0123", "a statement cannot begin with {found}",
            "begin with a name or a value; to continue the line above, indent this one deeper",
            ("* x", "= 3", "/ 2", ", x", "a\n* b", "a\n, b", "h = a\n@ b", "if c", "in N", "<= 3", "a\n<= b", "=> h",
             "and b", "a\n= b", "a\nor b", "a\nelse b", "a\nif c", "..3")),
    Mistake("E0124", "an argument is missing before {found}", "remove the comma, or write the argument",
            ("f(a,, b)", "f(, a)", "f(,)", "f(a = 1,, b)", "f(a, , )")),
    Mistake("E0125", "an item is missing before {found}", "remove the comma, or write the item",
            ("a,, b", "a = b,, c", "a,", "a, b,", "a, = b", "(a,, b)", "(, b)", "a = b,", "(0, 1,,)")),
    Mistake("E0126", "`()` holds nothing", "write what it stands for, a value `(x)` or a list `(0, 2)`",
            ("()", "h = ()", "f(())", "x + ()")),
    Mistake("E0127", "comparisons do not chain", "join two of them: `a < b and b < c`",
            ("a < b < c", "0 <= x <= 1", "a == b == c", "f(a < b < c)", "x if 0 < a < 1 else y")),
    Mistake("E0128", "an index is a name, found {found}",
            "write an index such as `j`: `x[j]`, `e[i,j]`, `sum[j in N](x[j])`",
            ("x[0]", "x[]", "x[(j)]", "x[i, 0]", "x[-1]", "sum[](x)", "x[i,]", "x[0..4]", "x['a']", "x[inf]",
             "x[i, -1]", "x[true]")),
    Mistake("E0129", "{found} does not belong between the brackets of an index",
            "write an index `x[j]`, two `e[i,j]`, or an index and its set: `sum[j in N](…)`",
            ("x[j + 1]", "x[i - 1]", "x[j = N]", "x[i * 2]", "x[j = 3]", "x[f(j)]", "x[i == j]", "x[j if c]",
             "x[j[k]]", "x[j and k]", "x[j..4]", "x[j -> f]", "x[j @ k]")),
    Mistake("E0130", "a second `=` in one statement",
            "put each assignment on a line of its own; write `==` to compare",
            ("a = b = c", "h = x[j] = 3", "a = f(x) = y", "a = b, c = d")),
    Mistake("E0131", "`=` cannot stand inside an expression", "assign on a line of its own; write `==` to compare",
            ("f((a = b))", "(h = 3)", "f(a + b = c)", "x if c = 3 else y", "f(x[j] = 3)", "(a, b = c)",
             "sum[j in N](x[j] = 3)", "f(3 = x)", "f(a = b = c)", "x[j in N = 3]")),
    Mistake("E0132", "a function stands in parentheses here", "write `x -> (h => f(h))`",
            ("x -> h => h", "x -> f -> h => 2 * h", "y = x -> h => h")),
    Mistake("E0133", "`else` without `if`", "write `a if condition else b`",
            ("x else y", "h = a else b", "f(x else y)", "(a else b)")),
    Mistake("E0134", "`if` stands behind its value", "write `a if condition else b`",
            ("h = if c", "f(if c)", "(if c)", "x = if a else b", "f(a, if c)", "x + if c")),
    Mistake("E0135", "`in` stands only in the brackets of an index", "write `sum[j in N](…)` or `a[i, j in V] = …`",
            ("x in N", "f(j in N)", "sum(j in N)", "h = j in N", "(x in N)", "x + y in N", "f(x)[j] in N")),
    Mistake("E0136", "{found} is a word of the language and cannot be a name", "choose another name",
            ("f(in = 3)", "else = 2", "f(in)", "f(else)", "x + in", "x = in", "x = else", "x[in]", "x[if]",
             "h = and", "h = or", "x + else", "f(x, in)", "f(and)", "(in)", "(else)", "f(x, else)")),
    Mistake("E0139", "an arrow has no blank inside", "write `->` for a pipe, `=>` for a function",
            ("x - > f", "y = x -> g - > f", "h = > f(h)", "f(x, h = > h)")),
    Mistake("E0138", "the heading of a definition cannot be read at {found}",
            "write `name` or `name(argument, argument = default)`",
            ("f x", "f(2)", "f(x =)", "3", "f(x + 1)", "f(x),", "f(x)(y)", "f[x]", "f(x, , y)", "f(-x)", "2f",
             "f = 3", "f(x = 1 2)", "+f", "f(in)", "f(x y)", "f-1", "if"), "heading"),
)  # fmt: skip

OTHERS = (
    Mistake("E0119", "{found} cannot stand here", "remove it", ()),
    Mistake("E0101", "`{found}` is not part of the language", "remove it",
            ("a ; b", "x ? y", "ε * x", "a × b", "$x", "a ∈ N", "x!", "{a}", "a & b", "a\u00a0b", "h = 'a", "a:b",
             "x % 2", "x[:]", "f.g")),
    Mistake("E0102", "`{found}` is never closed", "close it",
            ("f(x", "h = relu(batch_norm(x)\ny", "x[j", "sum[j in N(x[j])", "f((x)")),
    Mistake("E0103", "nothing is open that {found} could close", "remove it, or open it before",
            ("f(x))", "x]", "x + )", "a = )b")),
    Mistake("E0104", "{found} closes another kind of bracket", "close the bracket opened last first",
            ("f(x]", "x[j)", "sum[j in N)(x[j])")),
    Mistake("E0105", "a line that begins with `{found}` could continue the line above or begin a statement",
            "indent it deeper to continue, or write `0 {found} …` to begin a statement",
            ("h = a\n- b", "a\n+ b", "h = a\n  + b\n- c\nh")),
    Mistake("E0106", "there is no equation here", "write one", ("", "   ", "# a comment", "\n\n")),
    Mistake("E0110", "the text is nested too deeply", "name its parts",
            ("(" * 200 + "x" + ")" * 200, "-" * 500 + "x", " + ".join("x" * 500))),
    Mistake("E0111", "the number is too large", "write `inf`, or a number below 1e308",
            ("1e999", "9" * 5000, "9" * 30)),
    Mistake("E0137", "a range counts whole numbers", "write `0..4`", ("0...4", "hops(0...4)", "0..1.5", ".5..3")),
    Mistake("E0140", "a stage of a pipe is a name, a call or a function in parentheses",
            "write it as a function: `x -> (h => …)`",
            ("x -> f + y", "x -> 3", "x -> a * b", "x -> f[j]", "x -> sum[j in N](x[j])", "x -> (a + b)",
             "x -> (f(x))", "x -> (0, 1)", "x -> -f", "x -> \"f\"")),
    Mistake("E0141", "left of `=>` stand the names of the function's arguments", "write `h => …` or `(a, b) => …`",
            ("f(x) => x", "3 => x", "(a, 2) => a", "a + b => c", "x[j] => x", "(h, h) => h", "(f(x)) => x")),
    Mistake("E0142", "{found} cannot be assigned to", "name a value, `h = …`, or a value on pairs, `a[i, j in V] = …`",
            ("f(x) = 3", "3 = x", "a + b = c", "x[j](y) = 3", "(a, b) = c", "-x = 3", "f(x)[j] = 2", "true = 1",
             "a -> b = c")),
    Mistake("E0143", "{found} does not name what a pair of nodes or an edge is",
            "write `a[i, j in V] = …` or `a[i, j in N] = …`",
            ("a[i, j, k in V] = 3", "a[i, i in V] = 3", "a[i, j] = 3", "a[j, k, l] = 2")),
    Mistake("E0144", "a reduction runs over one index", "nest them: `sum[j in N](sum[k in N](…))`",
            ("sum[i, j in V](x)", "sum[i, j](x)", "softmax[j, k in V](x)")),
    Mistake("E0145", "a reduction takes one expression", "write `sum[j in N](…)`",
            ("sum[j in N]()", "sum[j in N](x, y)", "sum[j in N](x = 3)", "sum[j]()")),
    Mistake("E0146", "an index set without the expression it reduces", "write `sum[j in N](x[j])`",
            ("x[j in N]", "h = sum[j in N]", "sum[j in N] + 3", "f(x)[j in N](y)", "(sum)[j in N](y)",
             "x[i, j in V]", "sum[j in N] -> f")),
    Mistake("E0147", "this value is not used", "only the last line stands without `=`: give it a name, or remove it",
            ("x\ny", "f(x)\nh = 3", "h = 2\nh\nh")),
    Mistake("E0148", "the sides of `=` differ in number", "give every result a name, once",
            ("q, k = a, b, c", "a, b, c = x, y", "a = x, y")),
    Mistake("E0149", "`{found}` is given twice", "give every one another name", ("f(x, a = 1, a = 2)", "q, q = f(x)")),
    Mistake("E0150", "an argument without a name follows one with a name", "write the arguments with names last",
            ("f(a = 1, x)",)),
    Mistake("E0151", "`{found}` is an argument twice", "give every argument another name",
            ("f(x, x)", "f(x, y = 2, x = 3)"), "heading"),
    Mistake("E0152", "a part of a stack is a block, `4 * block`, `block(argument)` or several in parentheses",
            "write `local -> 2 * (a -> b) -> layer(64)`",
            ("3", "4 * 3", "a + b", "x[j]", "a -> 3", "4 * (a + b)", "h => h", "tied(3)", "tied()", "tied(a, b)",
             "layer -> -4", "tied(x = layer)", "0..3", "a if c else b", "f(x)(y)", "(0, 1)", "sum[j in N](x)",
             "layer / 2", "layer ** 2", "\"a\""), "stack"),
    Mistake("E0153", "the count stands before what it repeats", "write `4 * layer`",
            ("layer * 4", "a -> layer * 4", "(a -> b) * 3"), "stack"),
    Mistake("E0154", "an argument without a default follows one with a default", "move it to the front",
            ("f(x = 1, y)",), "heading"),
)  # fmt: skip

MISTAKES = {row.code: row for row in (*UNREADABLE, *OTHERS)}

CHARACTERS = {
    "→": "->", "⇒": "=>", "−": "-", "–": "-", "·": "*", "×": "*", "⊙": "*", "∈": "in", "≤": "<=", "≥": ">=", "≠": "!=",
    "∞": "inf", "√": "sqrt(…)", "∑": "sum[j in N](…)", "Σ": "sum[j in N](…)", "^": "**", "²": "** 2", "&": "and",
    "|": "or", "!": "not", "“": '"', "”": '"', "‘": "'", "’": "'", "…": "..", "\u00a0": " ",
}  # fmt: skip
"""What to write in place of characters of mathematics and of other languages."""
