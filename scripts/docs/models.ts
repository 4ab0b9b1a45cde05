// The picture of the README: both ways of finding a service, side by side.

interface Box {
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly note: string;
  readonly kind: 'ours' | 'theirs';
}

interface Arrow {
  readonly from: Box;
  readonly to: Box;
  readonly text: string;
  /** Where the text stands, as an offset from the middle of the arrow. */
  readonly shift: readonly [dx: number, dy: number];
  readonly isCall?: boolean;
}

const [WIDTH, HEIGHT] = [150, 54];

const box = (x: number, y: number, kind: Box['kind'], title: string, note = ''): Box => ({
  x,
  y,
  kind,
  title,
  note,
});

const middle = ({ x, y }: Box): [number, number] => [x + WIDTH / 2, y + HEIGHT / 2];

/** Where the line from a box's middle to another point leaves the box. */
function edge(of: Box, towards: readonly [number, number]): [number, number] {
  const [x, y] = middle(of);
  const [dx, dy] = [towards[0] - x, towards[1] - y];
  const scale = Math.min(
    dx === 0 ? Infinity : WIDTH / 2 / Math.abs(dx),
    dy === 0 ? Infinity : HEIGHT / 2 / Math.abs(dy),
  );
  return [Math.round(x + dx * scale), Math.round(y + dy * scale)];
}

function boxSvg({ x, y, title, note, kind }: Box): string {
  const [cx, cy] = middle({ x, y, title, note, kind });
  const first = note === '' ? cy + 5 : cy - 3;
  const second = note === '' ? '' : `<text class="note" x="${cx}" y="${cy + 15}">${note}</text>`;
  return `<rect class="${kind}" x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="6"/><text x="${cx}" y="${first}">${title}</text>${second}`;
}

function arrowSvg({ from, to, text, shift: [dx, dy], isCall = false }: Arrow): string {
  const [x1, y1] = edge(from, middle(to));
  const [x2, y2] = edge(to, middle(from));
  const [tx, ty] = [Math.round((x1 + x2) / 2 + dx), Math.round((y1 + y2) / 2 + dy)];
  return `<line class="${isCall ? 'call' : 'watch'}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" marker-end="url(#end)"/><text class="note" x="${tx}" y="${ty}">${text}</text>`;
}

/** The picture as SVG. It has its own background, so it reads in light and dark pages. */
export function modelsSvg(): string {
  const left = {
    registry: box(135, 60, 'ours', 'registry', 'keeps the roll'),
    caller: box(20, 190, 'theirs', 'caller', 'with the SDK'),
    instance: box(250, 190, 'theirs', 'instances'),
  };
  const right = {
    registry: box(595, 60, 'ours', 'registry', 'keeps the roll'),
    caller: box(440, 250, 'theirs', 'caller', 'any language'),
    balancer: box(560, 158, 'ours', 'balancer, proxy', 'one stable address'),
    instance: box(740, 250, 'theirs', 'instances'),
  };
  const boxes = [...Object.values(left), ...Object.values(right)];
  const arrows: Arrow[] = [
    { from: left.caller, to: left.registry, text: 'watches', shift: [-38, 0] },
    { from: left.instance, to: left.registry, text: 'register, heartbeat', shift: [68, 0] },
    { from: left.caller, to: left.instance, text: 'calls', shift: [0, -8], isCall: true },
    { from: right.balancer, to: right.registry, text: 'watches', shift: [-32, 4] },
    { from: right.instance, to: right.registry, text: 'register, heartbeat', shift: [66, -14] },
    { from: right.caller, to: right.balancer, text: 'calls', shift: [-26, 0], isCall: true },
    { from: right.balancer, to: right.instance, text: 'calls', shift: [-26, 10], isCall: true },
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 910 330" font-family="system-ui, sans-serif" font-size="15" text-anchor="middle" fill="#1b1f24">
<style>.ours{fill:#dbe9ff;stroke:#2f5fb3}.theirs{fill:#fff;stroke:#6b7280}.note{font-size:12px;fill:#4b5563}.head{font-weight:600}.call{stroke:#b3462f;stroke-width:2}.watch{stroke:#2f5fb3;stroke-width:1.5;stroke-dasharray:5 4}</style>
<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="#4b5563"/></marker></defs>
<rect width="910" height="330" rx="10" fill="#f7f8fa"/>
<text class="head" x="210" y="34">client-side discovery</text><text class="head" x="670" y="34">server-side discovery</text>
${[...arrows.map(arrowSvg), ...boxes.map(boxSvg)].join('\n')}
</svg>
`;
}
