"""Makes the letters of the papers: voucher.otf, a part of Noto Sans CJK SC Regular, and bold.otf, a part of its Bold
(SIL OFL 1.1).

Needs Debian's fonts-noto-cjk and unicode-data, and fonttools from PyPI. Which characters: 通用规范汉字表 (8,105, Unihan
kTGH), GB2312 and the common half of Big5, so that names of the mainland, Hong Kong, Macau and Taiwan can be drawn;
Latin, Greek, Cyrillic, kana, and the signs of GB2312. The bold letters are for titles: GB2312 and Latin; what is beyond them is drawn with the regular ones. No hinting, no layout features: nothing of it is needed on paper.

    python3 assets/voucher/make.py && ls -l assets/voucher/*.otf
"""
import bz2
import glob
import pathlib

from fontTools import subset
from fontTools.ttLib import TTCollection

HERE = pathlib.Path(__file__).parent
SOURCE = "/usr/share/fonts/opentype/noto/NotoSansCJK-{}.ttc"
UNIHAN = "/usr/share/unicode/Unihan_*.txt.bz2"


def standard_characters():
    for path in glob.glob(UNIHAN):
        for line in bz2.open(path, "rt"):
            fields = line.rstrip("\n").split("\t")
            if len(fields) > 2 and fields[1] == "kTGH":
                yield int(fields[0][2:], 16)


def encoded(encoding, rows):
    for high in rows:
        for low in range(0x40, 0xFF):
            try:
                yield ord(bytes([high, low]).decode(encoding))
            except (UnicodeDecodeError, TypeError):
                pass


def wanted():
    yield from standard_characters()
    yield from encoded("gb2312", [*range(0xA1, 0xA4), *range(0xB0, 0xF8)])
    yield from encoded("big5", range(0xA4, 0xC7))
    for first, last in [(0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x45F), (0x1EA0, 0x1EF9), (0x3040, 0x30FF)]:
        yield from range(first, last + 1)
    yield from map(ord, "·•–—‘’“”…¥￥〇㐂")


def wanted_bold():
    yield from encoded("gb2312", [*range(0xA1, 0xA4), *range(0xB0, 0xF8)])
    for first, last in [(0x20, 0x7E), (0xA0, 0x17F)]:
        yield from range(first, last + 1)
    yield from map(ord, "·•–—‘’“”…¥￥〇")


def make(weight, name, characters):
    source = SOURCE.format(weight)
    full_name = "Noto Sans CJK SC" if weight == "Regular" else f"Noto Sans CJK SC {weight}"
    names = [font["name"].getDebugName(4) for font in TTCollection(source, lazy=True).fonts]
    options = subset.Options(
        font_number=names.index(full_name),
        hinting=False,
        layout_features=[],
        notdef_outline=True,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
        recalc_timestamp=False,
    )
    options.drop_tables += ["VORG", "vhea", "vmtx", "GSUB", "GPOS", "BASE", "GDEF", "DSIG"]
    font = subset.load_font(source, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=set(characters))
    subsetter.subset(font)
    subset.save_font(font, HERE / name, options)


make("Regular", "voucher.otf", wanted())
make("Bold", "bold.otf", wanted_bold())
