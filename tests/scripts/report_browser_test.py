#!/usr/bin/env python3
"""The report of a real sweep in headless Chromium: report_browser_test.py SIMMIM.

Runs a sweep of four cells for a few steps, writes its report and opens it at a phone's and a desk's width, light and
dark: nothing scrolls sideways beyond the tables' own scrollers, text and ground have enough contrast, every picture
loads, nothing is logged as an error and no request leaves the page. Talks to chromedriver in plain HTTP (WebDriver).
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

SWEEP = {
    "about": "Does <b>the mask</b> matter & is \"it\" seen? A few steps, so: nobody knows.",
    "set": {
        "encoder": {"dim": 16, "depth": 1, "heads": 2},
        "data": {"limit": 128, "workers": 0},
        "pretrain": {"epochs": 2, "batch_size": 32, "warmup_epochs": 0.5},
        "finetune": {"epochs": 2, "batch_size": 32, "warmup_epochs": 0.5},
    },
    "axes": [{"grid": {"mask.patch": [4, 8], "mask.ratio": [0.4, 0.6]}}],
    "seeds": 2,
    "resources": {"threads": 1},
    "table": {"rows": "mask.patch", "columns": "mask.ratio", "value": "finetune.val.top1",
              "baseline": {"mask.patch": 8, "mask.ratio": 0.6}},
    "paper": "paper/1",
}

# What is wider than the screen and lies in no scroller of its own; contrast as WCAG 2 defines it; pictures that failed.
MEASURE = """
document.querySelectorAll('details').forEach(d => { d.open = true; });
const wide = [];
for (const e of document.querySelectorAll('body *')) {
  if (e.closest('.scroll, pre, svg')) continue;
  const box = e.getBoundingClientRect();
  if (box.width > 0 && (box.right > innerWidth + 1 || box.left < -1)) wide.push(e.tagName + ' ' + Math.round(box.right));
}
const light = rgb => {
  const part = rgb.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
};
const ground = light(getComputedStyle(document.body).backgroundColor);
const contrasts = [...document.querySelectorAll('h1, p, td, li, figcaption')].map(e => {
  const ink = light(getComputedStyle(e).color);
  return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
});
return {
  inner: innerWidth, scroll: document.documentElement.scrollWidth, wide, ground, contrast: Math.min(...contrasts),
  images: document.images.length, broken: [...document.images].filter(i => !i.complete || i.naturalWidth === 0).length,
  svgs: document.querySelectorAll('svg').length, tables: document.querySelectorAll('.scroll > table').length,
  all_tables: document.querySelectorAll('table').length, scripts: document.scripts.length,
  bold: document.querySelectorAll('p b').length, text: document.body.innerText,
};
"""


class Browser:
    def __init__(self, driver: str, port: int):
        self.base = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([driver, f"--port={port}", "--silent"], stdout=subprocess.DEVNULL)
        self.session = ""

    def call(self, method: str, path: str, body=None):
        request = urllib.request.Request(self.base + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def start(self):
        for _ in range(300):  # until it listens
            with contextlib.suppress(OSError):
                if self.call("GET", "/status")["ready"]:
                    break
            time.sleep(0.1)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking"]
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")},
            "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"}}}})
        self.session = "/session/" + answer["sessionId"]

    def devtools(self, command: str, **parameters):
        return self.call("POST", self.session + "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def show(self, page: pathlib.Path, width: int, height: int, scheme: str) -> dict:
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=width < 500)
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("POST", self.session + "/url", {"url": page.as_uri()})
        return self.call("POST", self.session + "/execute/sync", {"script": MEASURE, "args": []})

    def log(self, kind: str) -> list:
        return self.call("POST", self.session + "/se/log", {"type": kind})

    def requests(self) -> list[str]:
        found = []
        for entry in self.log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found

    def stop(self):
        with contextlib.suppress(OSError):
            if self.session:
                self.call("DELETE", self.session)
        self.process.terminate()
        self.process.wait()


def check(condition: bool, what: str):
    if not condition:
        raise SystemExit("FAILED: " + what)


def main():
    simmim = str(pathlib.Path(sys.argv[1]).resolve())
    driver = shutil.which("chromedriver")
    check(driver is not None and shutil.which("chromium") is not None,
          "no chromium and chromedriver; scripts/setup.sh --slow installs them")
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "phone.json").write_text(json.dumps(SWEEP))
        environment = {**os.environ, "SIMMIM_THREADS": "1"}
        for words in (["sweep", "phone.json", "--jobs", "1"], ["report", "phone", "-o", "page.html"]):
            done = subprocess.run([simmim, *words, "--quiet"], cwd=root, env=environment, capture_output=True, text=True)
            check(done.returncode == 0, f"simmim {' '.join(words)}: {done.stderr}")
        page = root / "page.html"
        if len(sys.argv) > 2:
            shutil.copy(page, sys.argv[2])
        browser = Browser(driver, 20000 + os.getpid() % 20000)
        try:
            browser.start()
            grounds = {}
            for width, height in ((360, 740), (1280, 900)):
                for scheme in ("light", "dark"):
                    seen = browser.show(page, width, height, scheme)
                    where = f"{width} px, {scheme}: "
                    check(seen["inner"] == width, f"{where}the window is {seen['inner']} wide")
                    check(seen["scroll"] <= width, f"{where}the page scrolls sideways to {seen['scroll']}")
                    check(not seen["wide"], f"{where}too wide: {seen['wide'][:5]}")
                    check(seen["contrast"] >= 4.5, f"{where}contrast of {seen['contrast']:.2f}")
                    check(seen["images"] == 4 and seen["broken"] == 0, f"{where}{seen['broken']} of {seen['images']} images")
                    check(seen["svgs"] == 5, f"{where}{seen['svgs']} plots")
                    check(seen["tables"] == seen["all_tables"] >= 3, f"{where}a table outside of a scroller")
                    check(seen["scripts"] == 0 and seen["bold"] == 0, where + "text of the sweep became elements")
                    check("Does <b>the mask</b> matter" in seen["text"], where + "the question is not there")
                    grounds[scheme] = seen["ground"]
                    shot = browser.call("GET", browser.session + "/screenshot")
                    if len(sys.argv) > 2:
                        import base64
                        pathlib.Path(f"{sys.argv[2]}.{width}.{scheme}.png").write_bytes(base64.b64decode(shot))
            check(grounds["dark"] < 0.05 < 0.8 < grounds["light"], f"dark mode does not change the ground: {grounds}")
            elsewhere = [url for url in browser.requests() if not re.match(r"file:///.*/page\.html$|data:", url)]
            check(not elsewhere, f"requests left the page: {elsewhere[:5]}")
            errors = [entry["message"] for entry in browser.log("browser")]
            check(not errors, f"the browser complains: {errors[:3]}")
        finally:
            browser.stop()
    print("ok")


if __name__ == "__main__":
    main()
