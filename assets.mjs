// Builds what browsers load: src/hostwright/web/assets -> src/hostwright/web/static, names hashed, listed in manifest.json.
// `node assets.mjs` for use, `node assets.mjs --dev` unminified. Fails on an icon that does not exist and on too much weight.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";

const ROOT = path.dirname(fileURLToPath(import.meta.url));
const SOURCE = path.join(ROOT, "src/hostwright");
const ASSETS = path.join(SOURCE, "web/assets");
const TARGET = path.join(SOURCE, "web/static");
const PARTS = path.join(ROOT, "node_modules");
const DEVELOPMENT = process.argv.includes("--dev");

const LIMITS = { "app.css": 32_000, "page scripts": 25_000 }; // bytes after gzip

// Systems and countries come from upstreams, so a scan cannot find them. Templates ask os_icon() and flag().
const SYSTEMS = ["almalinux", "alpinelinux", "archlinux", "centos", "debian", "fedora", "freebsd", "linux", "nixos", "opensuse", "redhat", "rockylinux", "ubuntu"];
const COUNTRIES = (
  "at au be bg ca ch cz de dk ee fi fr gb gr hk hu ie in is it jp kr lt lu lv nl no pl ro se sg tr ua us za"
).split(" ");

const manifest = {};

/** Write a file under a name that holds its hash, and note it in the manifest. */
function put(name, content) {
  const { name: stem, ext } = path.parse(name);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  manifest[name] = `${stem}-${hash}${ext}`;
  fs.writeFileSync(path.join(TARGET, manifest[name]), content);
}

function filesBelow(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(full) : [full];
  });
}

/** Every Lucide name in `icon("name")` or `icon="name"`, with the file that asks for it. */
function iconsAskedFor() {
  const asked = new Map();
  const sources = filesBelow(SOURCE).filter((file) => file.endsWith(".py") || (file.endsWith(".html") && file.includes("/templates/")));
  for (const file of sources) {
    for (const [, name] of fs.readFileSync(file, "utf8").matchAll(/\bicon(?:\(\s*|=)["']([a-z0-9][a-z0-9-]*)["']/g)) {
      asked.set(name, path.relative(ROOT, file));
    }
  }
  return asked;
}

/** What stands inside an SVG file, on one line. */
function drawing(file) {
  return fs
    .readFileSync(file, "utf8")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/<svg[^>]*>|<\/svg>|<title>[\s\S]*?<\/title>/g, "")
    .replace(/\s+/g, " ")
    .replaceAll("xlink:href", "href") // its namespace is declared in the <svg> that is gone
    .replace(/ \/>/g, "/>")
    .trim();
}

const symbol = (id, viewBox, content) => `<symbol id="${id}" viewBox="${viewBox}">${content}</symbol>`;
const sprite = (symbols) => `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;

/** Flags bring ids of their own; two flags in one document must not share them. */
function ownIds(content, prefix) {
  return content
    .replace(/\bid="([^"]+)"/g, `id="${prefix}-$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${prefix}-$1)`)
    .replace(/href="#([^"]+)"/g, `href="#${prefix}-$1"`);
}

function buildSprites() {
  const asked = iconsAskedFor();
  const missing = [...asked].filter(([name]) => !fs.existsSync(`${PARTS}/lucide-static/icons/${name}.svg`));
  if (missing.length) {
    throw new Error(missing.map(([name, file]) => `unknown icon "${name}" in ${file}`).join("\n"));
  }
  const names = [...asked.keys()].sort();
  const icons = names.map((name) => symbol(name, "0 0 24 24", drawing(`${PARTS}/lucide-static/icons/${name}.svg`)));
  const systems = SYSTEMS.map((name) => symbol(`os-${name}`, "0 0 24 24", drawing(`${PARTS}/simple-icons/icons/${name}.svg`)));
  const flags = COUNTRIES.map((code) => symbol(`f-${code}`, "0 0 640 480", ownIds(drawing(`${PARTS}/flag-icons/flags/4x3/${code}.svg`), code)));
  put("icons.svg", sprite([...icons, ...systems]));
  put("flags.svg", sprite(flags));
  manifest.symbols = { icons: names, systems: SYSTEMS, flags: COUNTRIES };
}

function buildFonts() {
  put("inter.woff2", fs.readFileSync(`${PARTS}/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2`));
  put("mono.woff2", fs.readFileSync(`${PARTS}/@fontsource-variable/geist-mono/files/geist-mono-latin-wght-normal.woff2`));
}

function buildStyles() {
  const raw = path.join(TARGET, ".app.css");
  const options = ["-i", path.join(ASSETS, "css/app.css"), "-o", raw, ...(DEVELOPMENT ? [] : ["--minify"])];
  execFileSync(`${PARTS}/.bin/tailwindcss`, options, { stdio: ["ignore", "ignore", "inherit"], cwd: ROOT });
  const styles = fs.readFileSync(raw, "utf8").replace(/font:(inter|mono)/g, (_, name) => manifest[`${name}.woff2`]);
  fs.unlinkSync(raw);
  put("app.css", styles);
}

async function buildScripts() {
  const result = await build({
    entryPoints: { app: `${ASSETS}/js/app.js`, charts: `${ASSETS}/js/charts.js`, console: `${ASSETS}/js/console.js` },
    outdir: TARGET,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: !DEVELOPMENT,
    entryNames: "[name]-[hash]",
    chunkNames: "chunk-[hash]",
    metafile: true,
    legalComments: "none",
    logLevel: "warning",
    nodePaths: [PARTS],
  });
  for (const [output, facts] of Object.entries(result.metafile.outputs)) {
    if (!facts.entryPoint) continue;
    const name = path.basename(facts.entryPoint);
    manifest[name] = path.basename(output);
    manifest[`${name}:imports`] = facts.imports.filter((found) => found.kind === "import-statement").map((found) => path.basename(found.path));
  }
  put("theme.js", fs.readFileSync(`${ASSETS}/js/theme-first.js`, "utf8").replace(/^\s*\/\/.*\n/gm, "").replace(/\n\s*/g, ""));
}

/** Every file that a manifest names. */
const filesOf = (found) =>
  Object.entries(found).flatMap(([name, value]) => (typeof value === "string" ? [value] : name.endsWith(":imports") ? value : []));

/** What the build before wrote; nothing when there was none. */
function filesBefore() {
  try {
    return filesOf(JSON.parse(fs.readFileSync(path.join(TARGET, "manifest.json"), "utf8")));
  } catch {
    return [];
  }
}

/** Files of older builds go, last. Those of the build before stay: a running server names them until it is started anew. */
function removeStale(before) {
  const kept = new Set(["manifest.json", ...filesOf(manifest), ...before]);
  for (const file of fs.readdirSync(TARGET)) if (!kept.has(file)) fs.rmSync(path.join(TARGET, file));
}

const gzipped = (file) => zlib.gzipSync(fs.readFileSync(path.join(TARGET, file)), { level: 9 }).length;

function report(took) {
  for (const file of [...new Set(filesOf(manifest))].sort()) {
    const size = fs.statSync(path.join(TARGET, file)).size;
    console.log(file.padEnd(32), String(size).padStart(8), "gzip", String(gzipped(file)).padStart(7));
  }
  const weights = {
    "app.css": gzipped(manifest["app.css"]),
    "page scripts": [manifest["app.js"], manifest["theme.js"], ...manifest["app.js:imports"]].reduce((sum, file) => sum + gzipped(file), 0),
  };
  for (const [name, limit] of Object.entries(LIMITS)) {
    console.log(`${name}: ${weights[name]} of ${limit} bytes after gzip`);
    if (weights[name] > limit && !DEVELOPMENT) throw new Error(`${name} weigh more than they may`);
  }
  console.log(`${manifest.symbols.icons.length} icons; ${took.toFixed(0)} ms`);
}

const began = performance.now();
fs.mkdirSync(TARGET, { recursive: true });
const before = filesBefore();
buildFonts();
buildSprites();
buildStyles();
await buildScripts();
fs.writeFileSync(path.join(TARGET, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
removeStale(before);
report(performance.now() - began);
