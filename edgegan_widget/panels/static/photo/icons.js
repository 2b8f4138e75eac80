// Icons of the tools, drawn as lines in a square of 20.

const ICONS = {
  undo: "M4 8h8a4 4 0 0 1 0 8H8M4 8l4-4M4 8l4 4",
  redo: "M16 8H8a4 4 0 0 0 0 8h4M16 8l-4-4M16 8l-4 4",
  click: "M10 2v4M10 14v4M2 10h4M14 10h4M10 9.5v1M9.5 10h1",
  lasso: "M10 4c4 0 7 1.8 7 4.5S14 13 10 13 3 11.200 3 8.500 6 4 10 4M6 12.500c-1 1-1 2.500.5 2.500S8 17 6.500 18",
  brush: "M16.500 3.500 9 11M9 11c-2.500-.5-4 1-4 3 0 1.500-1 2-2 2 3 2 8 1 8-3z",
  box: "M3 3h3M9 3h2M14 3h3v3M17 9v2M17 14v3h-3M11 17H9M6 17H3v-3M3 11V9M3 6V3",
  add: "M10 4v12M4 10h12",
  less: "M4 10h12",
  clear: "M5 5l10 10M15 5L5 15",
  pen: "M3 17l1-4L14 3l3 3L7 16zM12 5l3 3",
  eraser: "M8 16h9M3 12l8-8 6 6-6 6H7zM7 8l6 6",
  move: "M10 2v16M2 10h16M10 2L8 4M10 2l2 2M10 18l-2-2M10 18l2-2M2 10l2-2M2 10l2 2M18 10l-2-2M18 10l-2 2",
  split: "M6.500 6.500a2 2 0 1 1-.01-.01M6.500 13.500a2 2 0 1 0-.01.01M6.500 7l11 7M6.500 13l11-7",
  mirror: "M10 2v16M7 5v10H2zM13 5v10h5z",
  turn: "M15 6a6.500 6.500 0 1 0 1.500 5M16 2v4h-4",
  lines: "M2 10c3-5 13-5 16 0-3 5-13 5-16 0zM10 8a2 2 0 1 0 .01 0",
  compare: "M10 2v16M3 4h14v12H3zM12 8h3M12 12h3",
};

const iconOf = (name) => `<svg viewBox="0 0 20 20" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
