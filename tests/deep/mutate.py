# SPDX-License-Identifier: MIT
"""Small changes to a C source file, each of which should break a promise:
what tests/deep/mutants draws from. Nothing here builds or runs anything."""
import collections
import re

# old and new: what stands from start to end, before and after.
Change = collections.namedtuple("Change", "path line kind start end old new")

TOKEN = re.compile(r"""
    (?P<gap>\s+|//[^\n]*|/\*.*?\*/|(?<![^\n])[ \t]*\#(?:\\\n|[^\n])*)
  | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<name>[A-Za-z_]\w*)
  | (?P<number>\d[\w.]*)
  | (?P<sign>>>=|<<=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||
             [-+*/%&|^]=|.)""", re.X | re.S)
Token = collections.namedtuple("Token", "kind text start end")
OPEN, CLOSE = "([{", ")]}"
# What a condition of `a && b` cannot reach beyond.
ENDS = {"&&", "||", "?", ":", ",", ";", "=", "return"}
BOUNDS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
# A sync that is left out says that all went well.
SYNCS = {"fsync": "0", "fdatasync": "0", "syncfs": "0", "mdb_env_sync": "0",
         "replace_sync": "0", "replace_sync_parent": "0",
         "mailroot_sync_parent": "0", "mailroot_bulk_sync": "0",
         "asuser_bulk_sync": "0", "sync_names": "true",
         "sync_parent": "CODE_DONE"}
WIPE = re.compile(r"wipe|memzero|explicit_bzero")
# What a short process need not give back: memory and descriptors that are not
# given back are found by the sanitizers and by `memcheck`. And messages, of
# which the tests compare what an administrator acts on.
GIVES = re.compile(r"free|^give_back$|(^|_)close(dir)?$|^fclose$")
LEAVES = re.compile(GIVES.pattern + r"|^say_|^(f|v|vf)?printf$|"
                    r"^put(s|char)$|^f?puts$|^fflush$|^json_|^table_|^progress_|"
                    r"^abort$|^exit$|^_exit$|^static_assert$|^_Static_assert$")
# A time that somebody waits, or memory and rows that are taken at a time: one more
# or less is no promise.
TUNED = re.compile(r"(_MS|_NS|MERCY_S|_SECONDS|_BYTES|ROOM|MEMORY|STACK|BATCH|ROUND|"
                   r"HANDFUL|AHEAD|BLOCK|TAIL|PATIENCE|MAP_START|DISK_FULL|DEEP|"
                   r"TRIES|COMPARED_MAX|LOOKED_AT|SCAN_UNHARMED)$")
# 0 to 2 are open from the start: 0 is nobody's descriptor.
DESCRIPTOR = re.compile(r"(^|_|data|dir|mail)(fd|dir|lock|gate|below)$")
TAKES = {"malloc", "calloc", "realloc", "reallocarray"}
KEYWORDS = {"if", "while", "for", "switch", "return", "sizeof", "else", "do",
            "case"}


class Source:
    """A file's tokens, and for each bracket its partner."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.tokens = [Token(m.lastgroup, m.group(), m.start(), m.end())
                       for m in TOKEN.finditer(text) if m.lastgroup != "gap"]
        self.partner, self.function = {}, [False] * len(self.tokens)
        self.inner = [None] * len(self.tokens)  # the bracket around a token
        waiting = []
        for at, token in enumerate(self.tokens):
            if token.kind == "sign" and token.text in CLOSE and waiting:
                opened = waiting.pop()
                self.partner[at], self.partner[opened] = opened, at
            self.inner[at] = waiting[-1] if waiting else None
            self.function[at] = any(self.is_body(o) for o in waiting)
            if token.kind == "sign" and token.text in OPEN:
                waiting.append(at)

    def is_body(self, at):
        """Does a function begin with this brace?"""
        return self.tokens[at].text == "{" and at > 0 and \
            self.tokens[at - 1].text == ")" and self.inner[at] is None

    def said(self, at):
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    def change(self, kind, first, last, new):
        """Tokens first to last, both included, become new."""
        start, end = self.tokens[first].start, self.tokens[last].end
        return Change(self.path, self.text.count("\n", 0, start) + 1, kind,
                      start, end, self.text[start:end], new)

    def between(self, first, last):
        return self.text[self.tokens[first].start:self.tokens[last].end]


def gives_back(source, at):
    """Does nothing depend on this condition but that something is given back?"""
    found = call_of(source, source.partner[at + 1] + 1)
    return found and GIVES.search(found[1])


def conditions(source):
    """Negated, and taken for one and the other."""
    for at, token in enumerate(source.tokens):
        if token.text not in ("if", "while") or source.said(at + 1) != "(" or \
                not source.function[at] or gives_back(source, at):
            continue
        first, last = at + 2, source.partner[at + 1] - 1
        what = source.between(first, last)
        yield source.change("negated", first, last, f"!({what})")
        yield source.change("never", first, last, f"0 && ({what})")
        if token.text == "if":
            yield source.change("always", first, last, f"1 || ({what})")


def reach(source, at, step):
    """The last token of the operand beside an && or ||."""
    at += step
    while True:
        text = source.said(at)
        bracket = CLOSE if step < 0 else OPEN
        if source.tokens[at].kind == "sign" and text in bracket:
            at = source.partner[at]
        following = at + step
        if not 0 <= following < len(source.tokens):
            return at
        text, kind = source.said(following), source.tokens[following].kind
        if text in ENDS or (kind == "sign" and text in OPEN + CLOSE and
                            text not in bracket):
            return at
        at = following


def is_call(source, at):
    """Does a call end here?"""
    return source.said(at) == ")" and \
        source.tokens[source.partner[at] - 1].kind == "name" and \
        source.said(source.partner[at] - 1) not in KEYWORDS


def operands(source):
    """One operand of an && or || left out; two that do something swapped."""
    for at, token in enumerate(source.tokens):
        if token.text not in ("&&", "||") or not source.function[at]:
            continue
        left, right = reach(source, at, -1), reach(source, at, 1)
        one, other = source.between(left, at - 1), source.between(at + 1, right)
        yield source.change("operand", left, right, one)
        yield source.change("operand", left, right, other)
        if is_call(source, at - 1) and is_call(source, right):
            yield source.change("swapped", left, right,
                                f"{other} {token.text} {one}")


def is_room(source, at):
    """Does this constant say how many elements there are? Nobody sees one more."""
    opened = source.inner[at]
    if opened is None:
        return False
    if source.said(opened) == "(":
        return source.said(opened - 1) in TAKES
    return source.said(opened) == "[" and \
        all(t.kind != "name" or t.text.isupper()
            for t in source.tokens[opened + 1:source.partner[opened]])


def is_spare(source, at):
    """calloc(count + 1, ...): that it is never asked for nothing."""
    opened = source.inner[at]
    return opened is not None and source.said(opened - 1) == "calloc" and \
        source.said(at - 1) == "+" and source.said(at + 1) == ","


def is_growth(source, at):
    """room ? room * 2 : 16: does an array grow by this?"""
    if source.said(at - 1) != "*" or source.said(at + 1) != ":":
        return False
    at -= 2
    while source.said(at - 1) in ("->", "."):
        at -= 2
    return source.said(at - 1) == "?"


def is_tuned(source, at):
    """Is it the value of such a name in an enumeration?"""
    while source.said(at) not in ("=", ",", ";", "{", "}"):
        at -= 1
    if source.said(at) != "=":
        return False
    if source.said(at - 2) == ".":
        return source.said(at - 1) in ("tv_usec", "tv_nsec")
    return TUNED.search(source.said(at - 1)) and source.said(at - 2) in ("{", ",")


def is_descriptor(source, at):
    """fd < 0, fd >= 0: is this the sign or the number?"""
    if source.said(at) == "0":
        at -= 1
    return source.said(at) in ("<", ">=") and source.said(at + 1) == "0" and \
        bool(DESCRIPTOR.search(source.said(at - 1)))


def numbers(source):
    """Off by one: constants, and bounds."""
    for at, token in enumerate(source.tokens):
        if is_descriptor(source, at):
            continue
        if token.text in BOUNDS and token.kind == "sign" and \
                source.function[at]:
            yield source.change("bound", at, at, BOUNDS[token.text])
        if token.kind != "number" or not re.fullmatch(
                r"0[0-7]*|[1-9]\d*|0[xX][0-9a-fA-F]+", token.text):
            continue
        if is_tuned(source, at) or is_spare(source, at) or \
                source.said(at - 1) == ":" and is_growth(source, at - 2):
            continue
        # Room in memory is no promise; neither is a structure's first zero.
        if source.said(at - 1) == "[" and source.said(at + 1) == "]" or \
                token.text == "0" and source.said(at + 1) == "}" and (
                    source.said(at - 1) == "{" or source.said(at - 1) == "=" and
                    source.said(at - 3) == "." and source.said(at - 4) == "{"):
            continue
        if not is_room(source, at) and not is_growth(source, at):
            yield source.change("constant", at, at, f"({token.text} + 1)")
        if int(token.text, 8 if re.fullmatch("0[0-7]+", token.text) else 0):
            yield source.change("constant", at, at, f"({token.text} - 1)")


def call_of(source, at):
    """A statement that only calls, and begins here: (void, its name, the last
    token), or None."""
    if source.said(at - 1) not in ("{", "}", ";", ")", "else", ":") or \
            not source.function[at]:
        return None
    if source.said(at - 1) == ")" and source.said(
            source.partner[at - 1] - 1) not in ("if", "while", "for"):
        return None
    cast = source.said(at) == "(" and source.said(at + 1) == "void" and \
        source.said(at + 2) == ")"
    name = at + 3 if cast else at
    if cast and source.said(name) == "!":
        name += 1
    if source.tokens[name].kind != "name" or source.said(name + 1) != "(" or \
            source.said(name) in KEYWORDS:
        return None
    end = source.partner[name + 1] + 1
    return (cast, source.said(name), end) if source.said(end) == ";" else None


def calls(source):
    """Left out; and two of them swapped that stand side by side."""
    for at, token in enumerate(source.tokens):
        found = call_of(source, at)
        if found:
            cast, name, end = found
            if not LEAVES.search(name):
                kind = "wipe" if WIPE.search(name) else "call"
                yield source.change(kind, at, end, ";")
            after = end + 1 < len(source.tokens) and call_of(source, end + 1)
            if after and not (LEAVES.search(name) or LEAVES.search(after[1]) or
                              WIPE.search(name) or WIPE.search(after[1])):
                yield source.change(
                    "swapped", at, after[2],
                    source.between(end + 1, after[2]) + " " +
                    source.between(at, end))
        if token.text in SYNCS and source.said(at + 1) == "(" and \
                source.function[at]:
            yield source.change("sync", at, source.partner[at + 1],
                                SYNCS[token.text])


def orders(source):
    """Neighbours in an enumeration that says in which order files change."""
    for at in range(len(source.tokens) - 1):
        if (source.said(at), source.said(at + 1)) != ("enum", "step") or \
                source.said(at + 2) != "{":
            continue
        names = [n for n in range(at + 3, source.partner[at + 2])
                 if source.tokens[n].kind == "name"]
        for one, other in zip(names, names[1:-1]):
            yield source.change("swapped", one, other, source.said(other) +
                                ", " + source.said(one))


def changes(path, text):
    """Every change that there is to the text of a file, in its order. Swaps
    count where something is published, the caller knows where that is."""
    source = Source(path, text)
    found = {}
    for make in (conditions, operands, numbers, calls, orders):
        for change in make(source):
            found.setdefault((change.start, change.end, change.new), change)
    return sorted(found.values(), key=lambda c: (c.start, c.end, c.new))


def apply(text, change):
    return text[:change.start] + change.new + text[change.end:]


def show(change):
    def short(text):
        return re.sub(r"\s+", " ", text)
    return (f"{change.path}:{change.line}: {change.kind}: "
            f"'{short(change.old)}' -> '{short(change.new)}'")
