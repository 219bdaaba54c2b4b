# SPDX-License-Identifier: MIT OR Apache-2.0
"""Pretty printers: fields of mm3 structs as values. gdb loads this with libmm3; or `source libmm3-gdb.py`.

A field is known by its member mm3_tag, a pointer to struct mm3_k_KIND. Modules of other people add theirs:

    import mm3
    mm3.printers['ring'] = lambda value: ...     # an object with to_string, or children

Bytes may be damaged: lengths are clamped, as everywhere."""
import sys
import types

import gdb

mm3 = sys.modules.setdefault('mm3', types.ModuleType('mm3'))
LENGTH_MAX = 0xFFFFFF


def text_at(address, length):
    raw = bytes(gdb.selected_inferior().read_memory(address, length)) if length else b''
    text = raw.decode('utf-8', 'backslashreplace')
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"').replace('\0', '\\0') + '"'


def string_at(address, n):
    """A string's two slots behind its word; see mm3/string.h."""
    word = int.from_bytes(bytes(gdb.selected_inferior().read_memory(address, 8)), 'little')
    length = min(word & LENGTH_MAX, n)
    return text_at(address + 8 + (word >> 24 & 1) * (n + 1), length)


class Text:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        slot = self.value['slot'].type.target()
        return string_at(int(self.value.address), slot.range()[1])


class Json(Text):
    def to_string(self):
        text = Text.to_string(self)[1:-1].replace('\\"', '"').replace('\\\\', '\\')
        return text or 'null'


class Items:
    def display_hint(self):
        return 'array'

    def children(self):
        return ((str(i), item) for i, item in enumerate(self.items()))


class StringArray(Items):
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return None

    def items(self):
        words = self.value['words'].type
        n = self.value['mm3_slot'].type.target().range()[1]
        for i in range(words.range()[1] + 1):
            yield string_at(int(self.value.address) + i * words.target().sizeof, n)


class Vec(Items):
    """Item i lies in slot i, but in the middle of an insertion or removal; see mm3/vec.h."""

    def __init__(self, value):
        self.value = value
        self.n = value['at'].type.range()[1]
        self.length = min(int(value['word']) & 0xFFFFFFFF, self.n)

    def to_string(self):
        return '%d of %d items' % (self.length, self.n)

    def items(self):
        state, width = int(self.value['word']) >> 32, int(self.value['sequence']) & 0x7FFFFFFF
        for i in range(self.length):
            slot = i
            if state >> 31:
                slot = self.n if i == state & 0x7FFFFFFF else i
            elif state and i >= state - 1:
                slot = min(i + width, self.n)
            yield self.value['at'][slot]


class Ndarray:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return self.value['at']


class Atomic:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        held = self.value['mm3_v']
        return ('true' if int(held) else 'false') if self.value.type.tag.endswith('_bool') else held


class Error:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        code = int(self.value['code'])
        if code == 0:
            return 'no error'
        try:
            name = str(gdb.Value(-code).cast(gdb.lookup_type('enum mm3_code')))
        except gdb.error:
            name = str(code)
        return '%s: %s' % (name, self.value['text'].string())


mm3.printers = getattr(mm3, 'printers', {})
mm3.printers.update({'string': Text, 'json': Json, 'string_array': StringArray, 'vec': Vec, 'ndarray': Ndarray})


def kind_of(struct):
    """The KIND of mm3_tag, in the struct or in the anonymous union that is its first member."""
    for field in struct.fields()[:6]:
        if field.name == 'mm3_tag':
            return (field.type.strip_typedefs().target().tag or '')[len('mm3_k_'):]
        if not field.name and field.type.code in (gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_STRUCT):
            return kind_of(field.type)
    return None


def look_up(value):
    struct = value.type.strip_typedefs()
    if struct.code not in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        return None
    tag = struct.tag or ''
    if tag == 'mm3_error':
        return Error(value)
    if tag.startswith('mm3_atomic_'):
        return Atomic(value)
    maker = mm3.printers.get(kind_of(struct)) if value.address is not None else None
    return maker(value) if maker else None


def register():
    """Into the program's list, not the library's: the fields are types of the program."""
    kept = [p for p in gdb.pretty_printers if getattr(p, '__name__', '') != 'mm3_look_up']
    look_up.__name__ = 'mm3_look_up'
    gdb.pretty_printers[:] = kept + [look_up]


register()
