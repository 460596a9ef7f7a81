# SPDX-License-Identifier: MIT
"""A disk that forgets: what may be left of a directory tree when the power goes
in the middle of a change that tests/deep/observer/record.h describes.

What is durable is what POSIX promises and no more:

- the data, length, owner and mode of a file, when fsync or fdatasync of that
  file has come back, or syncfs; a write with O_DSYNC when it has come back;
- a name in a directory, when fsync of that directory has come back, or syncfs.
  Neither fsync of the file nor of another directory does it. A rename is one
  thing, kept or lost whole, and belongs to the directory of the new name.

All else that was done may be kept or lost, each by itself, the call in flight
among it; a write that is not durable may be kept up to any sector. In another
order than theirs two of them can only end as if the one that came out on top had
been the only one, so that leaving out covers putting in another order.
"""
import contextlib
import os
import shutil
import stat

SECTOR = 512
CHANGING = {"link", "unlink", "rename", "swap", "write", "trunc", "attr"}


class Node:
    __slots__ = ("kind", "mode", "uid", "gid", "data", "size", "names")

    def __init__(self, kind, mode, uid, gid):
        self.kind, self.mode, self.uid, self.gid = kind, mode, uid, gid
        self.data, self.size, self.names = b"", 0, {}

    def copy(self):
        node = Node(self.kind, self.mode, self.uid, self.gid)
        node.data, node.size = self.data, self.size
        node.names = dict(self.names)
        return node


class Nodes:
    """Nodes by inode, of which each is copied before it is first changed."""

    def __init__(self, nodes):
        self.nodes, self.own = dict(nodes), set()

    def __call__(self, inode):
        if inode not in self.own and inode in self.nodes:
            self.nodes[inode] = self.nodes[inode].copy()
            self.own.add(inode)
        return self.nodes.get(inode)


class Op:
    """One operation; of which inode its data, of which directory its name."""

    def __init__(self, words):
        self.kind = words[0]
        self.words = words
        self.file = self.dir = None
        if self.kind in ("write", "trunc", "attr", "fsync"):
            self.file = int(words[1])
        elif self.kind in ("link", "unlink"):
            self.dir = int(words[1])
        elif self.kind in ("rename", "swap"):
            self.dir = int(words[3])
        self.bytes = bytes.fromhex(words[4]) if self.kind == "write" and \
            len(words) > 4 else b""
        self.now = self.kind == "write" and words[3] == "now"
        self.changes = self.kind in CHANGING


def durable_from(ops):
    """For each operation the number of the first that makes it durable."""
    found = [len(ops) + 1] * len(ops)
    waiting = {}  # by inode
    for i, op in enumerate(ops):
        if op.now:
            found[i] = i
        elif op.changes:
            waiting.setdefault(op.file or op.dir, []).append(i)
        elif op.kind == "fsync":
            for j in waiting.pop(op.file, ()):
                found[j] = i
        elif op.kind == "syncfs":
            for many in waiting.values():
                for j in many:
                    found[j] = i
            waiting.clear()
    return found


def names_of(top, path):
    """What counts in a directory: of qmail's home only what is published."""
    if path == top + "/qmail":
        return [name for name in ("control", "users")
                if os.path.isdir(f"{path}/{name}")]
    return os.listdir(path)


def kind_of(info):
    if stat.S_ISDIR(info.st_mode):
        return "dir"
    # A file with other names is not ours alone to write.
    return "file" if stat.S_ISREG(info.st_mode) and info.st_nlink == 1 \
        else "other"


def content(path):
    """A file without its zeros at the end, most of which are a hole."""
    end = 0
    with open(path, "rb") as file:
        with contextlib.suppress(OSError):  # ENXIO: nothing but a hole
            while True:
                at = os.lseek(file.fileno(), end, os.SEEK_DATA)
                end = os.lseek(file.fileno(), at, os.SEEK_HOLE)
        file.seek(0)
        return file.read(end).rstrip(b"\0")


def scan(top):
    """The inode of top, and all nodes by inode."""
    nodes = {}

    def take(path):
        info = os.lstat(path)
        kind = kind_of(info)
        node = Node(kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid)
        nodes[info.st_ino] = node
        if kind == "file":
            node.data = content(path)
            node.size = info.st_size
        elif kind == "dir":
            for name in names_of(top, path):
                node.names[name] = take(os.path.join(path, name))
        return info.st_ino

    return take(top), nodes


class Disk:
    """A tree before a change, and the operations of the change."""

    def __init__(self, top):
        self.top = top
        self.root, self.base = scan(top)
        self.ops = self.durable = self.sure = None

    def record(self, ops):
        self.ops = [Op(words) for words in ops]
        self.durable = durable_from(self.ops)
        for op in self.ops:
            # Without a name it is there nevertheless: a rename that was kept
            # gives it another.
            if op.kind == "link":
                self.base.setdefault(int(op.words[3]), Node(
                    op.words[4], int(op.words[5], 8), *map(int, op.words[6:])))
        self.sure = 0, Nodes(self.base)

    def unsure(self, count):
        """What may be kept or lost when the power goes while operation number
        count is in flight, those before it having come back."""
        flying = count < len(self.ops) and self.ops[count].changes
        return [i for i in range(count)
                if self.ops[i].changes and self.durable[i] >= count] + \
            [count] * flying

    def is_sure(self, i, count):
        return i < count and self.durable[i] < count

    def beginning(self, count):
        """How many operations at the beginning are sure by then, whatever is
        kept of the others, and the nodes after them. It is kept for the next
        moment, which has these and mostly more."""
        end, nodes = self.sure
        if not all(self.is_sure(i, count) for i in range(end)
                   if self.ops[i].changes):
            end, nodes = 0, Nodes(self.base)
        while end < count and (not self.ops[end].changes or
                               self.is_sure(end, count)):
            if self.ops[end].changes:
                self.apply(self.ops[end], nodes, None)
            end += 1
        self.sure = end, nodes
        return end, nodes

    def left(self, count, kept, rnd=None):
        """The tree's paths: {path: (kind, mode, uid, gid, data, size)}. rnd
        tears writes that are kept and not durable."""
        begin, nodes = self.beginning(count)
        nodes = Nodes(nodes.nodes)
        for i, op in enumerate(self.ops[begin:count + 1], begin):
            sure = self.is_sure(i, count)
            if op.changes and (sure or i in kept):
                self.apply(op, nodes, None if sure else rnd)
        return self.flatten(nodes.nodes)

    @staticmethod
    def apply(op, node, rnd):
        words = op.words
        if op.kind == "link" and node(op.dir):
            node(op.dir).names[words[2]] = int(words[3])
        elif op.kind == "unlink" and node(op.dir):
            node(op.dir).names.pop(words[2], None)
        elif op.kind in ("rename", "swap"):
            old, new = node(int(words[1])), node(op.dir)
            if not old or not new:
                return
            here, there = old.names.get(words[2]), new.names.get(words[4])
            if op.kind == "rename":
                inode = int(words[5])
                if here == inode:
                    del old.names[words[2]]
                new.names[words[4]] = inode
            elif here and there:
                old.names[words[2]], new.names[words[4]] = there, here
        elif op.file and node(op.file):
            Disk.change(op, node(op.file), rnd)

    @staticmethod
    def change(op, file, rnd):
        words = op.words
        if op.kind == "attr":
            file.mode, file.uid, file.gid = (int(words[2], 8), int(words[3]),
                                             int(words[4]))
        elif op.kind == "trunc":
            file.size = int(words[2])
            file.data = file.data[:file.size]
        else:
            at, data = int(words[2]), op.bytes
            if rnd and len(data) > SECTOR and rnd.random() < 0.25:
                data = data[:SECTOR * rnd.randrange(1 + len(data) // SECTOR)]
            before = file.data[:at].ljust(at, b"\0")
            file.data = before + data + file.data[at + len(data):]
            file.size = max(file.size, at + len(data))

    def flatten(self, nodes):
        found = {}
        seen = set()  # a directory that two names were left for

        def walk(path, inode):
            node = nodes[inode]
            found[path] = (node.kind, node.mode, node.uid, node.gid,
                           node.data.rstrip(b"\0") if node.data[-1:] == b"\0"
                           else node.data, node.size)
            if node.kind == "dir" and inode not in seen:
                seen.add(inode)
                for name, child in node.names.items():
                    walk(path + "/" + name, child)

        walk(self.top, self.root)
        return found

    def choices(self, count, rnd):
        """One set of what is kept, drawn as disks lose things: each by itself;
        or names up to some moment, as a journal keeps them, and data as it
        comes; or everything up to some moment."""
        unsure = self.unsure(count)
        way = rnd.randrange(3)
        moment = rnd.choice(unsure) if unsure else 0
        odds = rnd.choice((0.2, 0.5, 0.8))
        if way == 2:
            return {i for i in unsure if i <= moment}
        return {i for i in unsure
                if (self.ops[i].dir and way == 1 and i <= moment) or
                ((way == 0 or not self.ops[i].dir) and rnd.random() < odds)}


def state_of(top):
    """A tree as `Disk.left` describes it; links, pipes and the like by kind."""
    disk = Disk(top)
    return disk.flatten(disk.base)


class Place:
    """A directory that is brought from one state to another."""

    def __init__(self, top):
        self.top = top
        self.now = None  # not known

    def forget(self):
        self.now = None

    def clear(self, path):
        for name in names_of(self.top, path):
            below = os.path.join(path, name)
            if below == self.top + "/qmail":
                self.clear(below)
            elif os.path.isdir(below):
                shutil.rmtree(below)
            else:
                os.unlink(below)
        self.now = {}

    def become(self, state):
        if self.now is None:
            self.clear(self.top)
        now = dict(self.now)
        for path in sorted(now, reverse=True):
            if path not in state or now[path][0] != state[path][0]:
                (os.rmdir if now[path][0] == "dir" else os.unlink)(path)
                del now[path]
        for path in sorted(state):
            if now.get(path) != state[path]:
                self.put(path, state[path], now.get(path))
        self.now = state

    @staticmethod
    def put(path, want, have):
        kind, mode, uid, gid, data, size = want
        if kind == "dir":
            if not os.path.isdir(path):
                os.mkdir(path)
        elif have is None or have[4:] != want[4:]:
            with open(path, "wb") as file:
                file.write(data)
                file.truncate(size)
        if have is None or have[:4] != want[:4]:
            os.chown(path, uid, gid)
            os.chmod(path, mode)
