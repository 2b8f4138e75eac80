"""One drawing as the programs that people use write it as SVG: read as its page shows it."""

from __future__ import annotations

import gzip
import itertools

import numpy as np
import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.strokes import Drawing
from edgegan_widget.sketch.trace import read_drawing, sketch_of
from tests.drawn_pictures import SHOE, likeness, truth

LINE = 'fill="none" stroke="#000" stroke-width="8"'


def moves(scale: float = 500, x: float = 0, y: float = 0) -> list[str]:
    return [" ".join(f"{a * scale + x:.2f},{b * scale + y:.2f}" for a, b in line) for line in SHOE]


def paths(look: str = LINE, **place: float) -> str:
    return "".join(f'<path d="M{points}" {look}/>' for points in moves(**place))


def svg(inside: str, box: str = 'viewBox="0 0 500 500"', head: str = "") -> str:
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{head}<svg {spaces} {box}>{inside}</svg>"


def pen(stroke: str) -> str:
    return f'fill="none" stroke="{stroke}"'


def ribbon(line: list[tuple[float, float]], half: float = 5) -> str:
    """A line as the outline of what a round pen covers, as programs write a free hand's strokes."""
    parts = []
    corners = [(500 * x, 500 * y) for x, y in line]
    for (x, y), (x1, y1) in itertools.pairwise(corners):
        long = max(((x1 - x) ** 2 + (y1 - y) ** 2) ** 0.5, 1e-9)
        a, b = -(y1 - y) / long * half, (x1 - x) / long * half
        ends = [(x + a, y + b), (x1 + a, y1 + b), (x1 - a, y1 - b), (x - a, y - b)]
        parts.append("M" + " L".join(f"{p:.2f} {q:.2f}" for p, q in ends) + "Z")
    return " ".join(parts)


CORNERS = '<path d="M0 0L500 140M0 400L500 500" stroke="#000"/>'  # beside the drawing
SHOWN = {
    "paths": svg(paths()),
    "style's transform by axis and turn": svg(
        '<g style="transform: translateX(20px) scaleX(.5) rotate(.25turn)">'
        f'<g style="transform: rotate(-1.5707963rad) scaleX(200%) translateX(-20px)">{paths()}</g></g>'
    ),
    "turned about a point": svg(
        f'<g style="transform: rotate(90deg); transform-origin: 250px center"><g transform="rotate(-90 250 250)">'
        f"{paths()}</g></g>"
    ),
    "clipped": svg(
        '<defs><clipPath id="c"><rect y="150" width="500" height="230"/></clipPath></defs>'
        f'<g clip-path="url(#c)">{paths()}{CORNERS}</g>'
    ),
    "clipped by a used shape": svg(
        '<defs><rect id="r" y="150" width="500" height="230"/><clipPath id="c"><use xlink:href="#r"/></clipPath></defs>'
        f"<g style=\"clip-path:url('#c')\">{paths()}{CORNERS}</g>"
    ),
    "an unseen line from corner to corner": svg(
        f'<path d="M0 0L500 500" stroke="transparent"/><path d="M0 0L500 500" stroke="#000" opacity="0"/>{paths()}'
    ),
    "squared paper as a pattern": svg(
        '<pattern id="p" width="9" height="9"><path d="M9 0H0V9" stroke="gray"/></pattern>'
        f'<rect width="100%" height="100%" fill="url(#p)"/>{paths()}'
    ),
    "prefixes that nobody declares": svg(f'<g inkscape:groupmode="layer" sketch:type="x">{paths()}</g>'),
    "spaces of HTML": svg(f"<title>a&nbsp;shoe</title>{paths()}"),
    "another encoding than it says": svg(paths(), head='<?xml version="1.0" encoding="utf-16"?>'),
    "relative, packed as svgo does": svg(
        '<path d="M40 310l10-110 50-20 65 40 60 30 85 25 90 15 55 30 5 40H40zM40 330l420 10M150 250l40-30m-10 45 '
        '40-30M100 180l20 70 30 60" stroke="#000" fill="none"/>'
    ),
    "polylines": svg("".join(f'<polyline points="{points}" {LINE}/>' for points in moves())),
    "style attribute": svg(paths('style="fill:none;stroke:#000000;stroke-width:8px;stroke-linecap:round"')),
    "class in a style sheet": svg(
        "<style>/* a */ .cls-1, .b {fill:none;stroke:#1d1d1b}</style>" + paths('class="cls-1"')
    ),
    "selectors": svg(
        "<style><![CDATA[ #ink > path { fill: none; stroke: rgb(0 0 0) !important } .gone { display: none } ]]></style>"
        f'<g id="ink">{paths("")}</g><g class="gone">{paths(LINE, x=40)}</g>'
    ),
    "variables": svg(f'<g style="--pen:#222">{paths(pen("var(--pen, red)"))}</g>'),
    "inherited from groups": svg(f'<g fill="none" stroke="black"><g stroke-width="4">{paths("")}</g></g>'),
    "current colour": svg(f'<g color="navy">{paths(pen("currentColor"))}</g>'),
    "view box with an offset": svg(paths(x=-300, y=1200), 'viewBox="-300 1200 500 500" width="50mm" height="50mm"'),
    "page larger than the drawing": svg(paths(scale=200, x=30, y=700), 'viewBox="0 0 1000 1000"'),
    "no view box": svg(paths(), 'width="500" height="500"'),
    "no size at all": svg(paths(), ""),
    "drawn beside the page": svg(paths(x=900), 'viewBox="0 0 500 500"'),
    "stretched": svg(paths(), 'viewBox="0 0 500 500" width="500" height="500" preserveAspectRatio="none"'),
    "transformed groups": svg(
        f'<g transform="translate(250 250) rotate(30)"><g transform="scale(.5)  skewX(10)"><g transform="skewX(-10) '
        f'scale(2,2) rotate(-30), translate(-250,-250)">{paths()}</g></g></g>'
    ),
    "nested svg": svg(f'<svg x="100" y="100" width="50%" height="50%" viewBox="0 0 500 500">{paths()}</svg>'),
    "symbol and use": svg(
        f'<symbol id="s" viewBox="0 0 500 500">{paths()}</symbol>'
        '<use xlink:href="#s" x="20" y="20" width="300" height="300"/>'
    ),
    "definition and use": svg(f'<defs><g id="g">{paths()}</g></defs><use href="#g" transform="translate(3 4)"/>'),
    "definitions are not shown": svg(
        f'<defs><path id="p" d="M0 0L500 500" {LINE}/><marker id="m"><path d="M0 0L9 9" {LINE}/></marker></defs>'
        f'<symbol id="s"><path d="M0 500L500 0" {LINE}/></symbol><mask id="k"><path d="M0 500L500 0" {LINE}/></mask>'
        f'<clipPath id="c"><rect width="500" height="500"/></clipPath>'
        f'<pattern id="q"><path d="M0 0L9 9" {LINE}/></pattern>'
        f'<g clip-path="url(#c)" marker-end="url(#m)">{paths()}</g>'
    ),
    "hidden layers": svg(
        f'<g style="display:none">{paths(x=30)}</g><g visibility="hidden">{paths(y=90)}</g>{paths(pen("none"), y=50)}'
        f'<g opacity="0">{paths(x=-20)}</g><g stroke-opacity="0">{paths(x=60)}</g>{paths()}'
    ),
    "visible in a hidden group": svg(
        f'<g visibility="hidden"><path d="M0 0L500 500" {LINE}/><g visibility="visible">{paths()}</g></g>'
    ),
    "white page": svg(f'<rect width="100%" height="100%" fill="white"/>{paths()}'),
    "white on white": svg(
        f'<path d="M0 0h500v500H0z" fill="#fff"/>{paths()}<path d="M0 490L500 490" stroke="#fefefe"/>'
    ),
    "black page": svg(f'<rect width="500" height="500" fill="#111"/>{paths(pen("white"))}'),
    "white lines on no page": svg(paths(pen("white"))),
    "page as a style": svg(paths(pen("#eee")), 'viewBox="0 0 500 500" style="background: #000"'),
    "odd widths": svg(
        "".join(
            f'<path d="M{points}" {pen("#000")} stroke-width="{width}"/>'
            for points, width in zip(moves(), ["", "abc", "1e9", "-3", "0.001"])
        )
    ),
    "lines of a free hand": svg("".join(f'<path d="{ribbon(line)}" fill="#1e1e1e"/>' for line in SHOE)),
    "covered": svg(
        f'<path d="M150 330L400 330" {LINE}/><path d="M40 400 60 20" {LINE}/>'
        f'<rect x="20" y="10" width="460" height="400" fill="#fff"/>{paths()}'
    ),
    "switch": svg(f'<switch><foreignObject requiredExtensions="x"/><g>{paths()}</g><g>{paths(x=50)}</g></switch>'),
    "Inkscape": svg(
        '<sodipodi:namedview xmlns:sodipodi="http://sodipodi" id="v"/>'
        '<g inkscape:groupmode="layer" inkscape:label="ink" '
        f'xmlns:inkscape="http://inkscape">{paths()}</g>'
    ),
    "Illustrator's namespaces": svg(
        paths(),
        'viewBox="0 0 500 500" xmlns:x="&ns_extend;" xmlns:i="&ns_ai;"',
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd" [\n'
        '<!ENTITY ns_extend "http://ns.adobe.com/Extensibility/1.0/">\n'
        '<!ENTITY ns_ai "http://ns.adobe.com/ai/10.0/">\n]>\n',
    ),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_what_is_shown_is_read(kind: str) -> None:
    sketch = sketch_of("a.svg", SHOWN[kind].encode(), 64, told="a.svg")
    assert min(likeness(sketch, truth("shoe"))) > 0.97


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_and_packed_files(encoding: str) -> None:
    text = svg(paths())
    plain = Drawing.from_svg(text)
    assert read_drawing("a.svg", text.encode(encoding)) == plain
    assert read_drawing("a.svgz", gzip.compress(text.encode())) == plain
    assert read_drawing("named-wrongly.png", text.encode()) == plain


def test_arcs_with_packed_flags_and_curves() -> None:
    circle = svg(f'<path d="M50 250a200 200 0 11400 0 200 200 0 01-400 0" {LINE}/>')
    curves = svg(
        f'<path d="M50 250C50 139.5 139.5 50 250 50S450 139.5 450 250 360.5 450 250 450 50 360.5 50 250" {LINE}/>'
    )
    shape = svg(f'<ellipse cx="50%" cy="50%" rx="40%" {LINE}/>')
    wanted = sketch_of("a.svg", shape.encode(), 64, told="a")
    for text in (circle, curves):
        assert min(likeness(sketch_of("a.svg", text.encode(), 64, told="a"), wanted)) == 1
        corners = np.array(Drawing.from_svg(text).bounds())
        assert corners == pytest.approx(np.array([(0.1, 0.1), (0.9, 0.9)]), abs=0.01)


def test_an_outline_of_what_is_filled() -> None:
    (outline,) = Drawing.from_svg(svg('<path d="M100 100h300v300h-300" fill="#c00"/>')).strokes
    assert outline.points[[0, -1], :2].tolist() == [[0.2, 0.2], [0.2, 0.2]]


def test_white_on_black_lines_erase() -> None:
    drawing = Drawing.from_svg(svg(f'{paths()}<path d="M0 250L500 250" stroke="white" stroke-width="40"/>'))
    assert [stroke.tool for stroke in drawing.strokes] == ["pen"] * 5 + ["eraser"]


@pytest.mark.parametrize(
    "inside", ["", "<rect width='500' height='500' fill='white'/>", "<g display='none'><path d='M0 0L9 9'/></g>"]
)
def test_an_empty_drawing_is_one(inside: str) -> None:
    assert read_drawing("a.svg", svg(inside).encode()) == Drawing()
    with pytest.raises(DataError, match=r"^a\.svg: the drawing shows no lines; draw some"):
        sketch_of("a.svg", svg(inside).encode(), 64, told="a.svg")


LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
BOMBS = {
    "entities in entities": f'<!DOCTYPE svg [<!ENTITY l0 "lol">{LAUGHS}]><svg><text>&l9;</text></svg>',
    "a long entity": f'<!DOCTYPE svg [<!ENTITY a "{"a" * 9999}">]><svg><text>{"&a;" * 9999}</text></svg>',
    "a file": '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]><svg><text>&x;</text></svg>',
    "parameters": '<!DOCTYPE svg [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd"> %p;]><svg/>',
    "use in use": "<svg>"
    + "".join(f'<g id="g{n}">' + f'<use href="#g{n + 1}"/>' * 10 + "</g>" for n in range(9))
    + '<g id="g9"><path d="M0 0L1 1" stroke="red"/></g></svg>',
    "groups in groups": "<svg>" + "<g>" * 3000 + "</g>" * 3000 + "</svg>",
    "half a file": "<svg><path d='M0 0 L",
    "cut packing": gzip.compress(b"<svg/>" * 99)[:-9].decode("latin-1"),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_refused_in_a_sentence(kind: str) -> None:
    with pytest.raises(DataError, match=r"^a\.svg: [^\n]+\.$"):
        read_drawing("a.svg", BOMBS[kind].encode("latin-1"))


def test_an_entity_is_never_put_in() -> None:
    text = '<!DOCTYPE svg [<!ENTITY a "M0 0L500 500">]><svg viewBox="0 0 500 500"><path d="&a;" stroke="red"/></svg>'
    with pytest.raises(DataError, match="DOCTYPE declares entities"):
        read_drawing("a.svg", text.encode())


def test_an_old_encoding_that_is_not_declared_is_read() -> None:
    content = svg(f"<title>f\u00fcr</title>{paths()}").encode("latin-1")
    assert min(likeness(sketch_of("a.svg", content, 64, told="a"), truth("shoe"))) > 0.95


@pytest.mark.parametrize(
    "ground", ['<circle cx="250" cy="250" r="250"', '<rect x="9" width="480" height="490" rx="60"']
)
def test_white_lines_on_a_filled_shape_are_lines(ground: str) -> None:
    inside = paths('fill="none" stroke="#fff" stroke-width="8"', scale=400, x=50, y=50)
    strokes = read_drawing("a.svg", svg(f'{ground} fill="#205090"/>{inside}').encode()).strokes
    assert len(strokes) == 1 + len(SHOE)
    assert all(stroke.tool == "pen" for stroke in strokes)
