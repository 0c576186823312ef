//! Is `report.html` what people want to look at? It is opened in a real browser, as they would.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::bench::HARNESS;
use crate::chromium::{Chromium, Page, Viewport};

const PHONE: Viewport = Viewport { width: 375, height: 812, dark: false, script: true };
const DESK: Viewport = Viewport { width: 1440, height: 900, dark: false, script: true };

const SECTIONS: [&str; 8] =
    ["answer", "suits", "by-cpu", "wakeups", "endpoints", "mistakes", "workloads", "host"];

/// The page of the reference run, made by this build.
fn page(folder: &Path) -> String {
    page_of("reference-quick", folder)
}

fn page_of(run: &str, folder: &Path) -> String {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results").join(run);
    let report = Command::new(HARNESS).arg("report").arg(run).arg("--out").arg(folder).output();
    assert!(report.unwrap().status.success());
    format!("file://{}", folder.join("report.html").display())
}

/// Where pictures of the page are left for people to look at.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-pictures");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn count(page: &Page<'_>, selector: &str) -> u64 {
    page.eval(&format!("document.querySelectorAll({}).length", json!(selector))).as_u64().unwrap()
}

/// Elements that stick out of the page sideways, with nothing around them that scrolls or cuts them off.
const OVERFLOWING: &str = "[...document.body.querySelectorAll('*')]
    .filter(element => {
        const { left, right, width } = element.getBoundingClientRect();
        if (width === 0 || (left >= 0 && right <= innerWidth + 1)) return false;
        for (let around = element; around; around = around.parentElement) {
            if (around.matches('.scroll, pre, .skip, .hidden')) return false;
        }
        return true;
    })
    .map(element => `${element.tagName}.${element.getAttribute('class')} ${element.textContent.slice(0, 60)}`)";

/// Charts have text alternatives, nothing is wider than the page, nothing is fetched or complained about.
fn check_sound(page: &Page<'_>, url: &str, name: &str) {
    let mute = "[...document.querySelectorAll('svg[role=img]')]
        .filter(chart => !chart.querySelector(':scope > title') || !chart.querySelector(':scope > desc').textContent)
        .length";
    assert_eq!(page.eval(mute), 0, "{name}: charts without a text alternative");
    assert_eq!(page.eval("document.documentElement.scrollWidth <= innerWidth"), true, "{name}");
    assert_eq!(page.eval(OVERFLOWING), json!([]), "{name}");
    assert_eq!(page.requests(), [url], "{name}");
    assert_eq!(page.complaints(), [""; 0], "{name}");
}

#[test]
#[ignore = "needs Chromium"]
fn the_page_is_whole_asks_for_nothing_and_fits_phones_and_desks() {
    let chromium = Chromium::start();
    let folder = tempfile::tempdir().unwrap();
    let url = page(folder.path());
    let bytes = std::fs::metadata(folder.path().join("report.html")).unwrap().len();
    assert!(bytes < 3 << 20, "{bytes} bytes");
    for (name, viewport) in [
        ("phone", PHONE),
        ("phone-dark", Viewport { dark: true, ..PHONE }),
        ("desk", DESK),
        ("desk-dark", Viewport { dark: true, ..DESK }),
        ("desk-without-script", Viewport { script: false, ..DESK }),
    ] {
        let page = chromium.open(&url, viewport);
        // Sections that are far away are laid out as well.
        page.eval("document.head.insertAdjacentHTML('beforeend', '<style>.case{content-visibility:visible}</style>')");
        for section in SECTIONS {
            assert_eq!(count(&page, &format!("main > section#{section} > h2")), 1, "{section}");
        }
        let cases = count(&page, "article.case");
        assert!(cases > 40, "{cases} cases");
        assert!(count(&page, "section.workload svg.dots") >= 2 * cases - 10, "charts of dots");
        assert!(count(&page, "section.workload svg.curves") > 10, "curves");
        assert_eq!(count(&page, "table.matrix"), 2);
        assert!(count(&page, "article.case table") > 2 * cases, "each chart has its numbers");
        assert!(count(&page, "details.code pre") > 100, "the code is there");
        check_sound(&page, &url, name);
        eprintln!("{name}: opened in {:.0} ms", page.load_ms());
        page.screenshot(&pictures().join(format!("{name}.png")), true);
    }
}

#[test]
#[ignore = "needs Chromium"]
fn the_pages_of_a_map_and_of_a_decision_fit_phones_and_desks() {
    let chromium = Chromium::start();
    let drawn =
        [("example-map", "svg.fields circle.measured"), ("example-stream", "#decision tbody tr")];
    for (run, selector) in drawn {
        let folder = tempfile::tempdir().unwrap();
        let url = page_of(run, folder.path());
        for (name, viewport) in
            [("phone", PHONE), ("desk", DESK), ("desk-dark", Viewport { dark: true, ..DESK })]
        {
            let page = chromium.open(&url, viewport);
            assert!(count(&page, selector) > 4, "{run}: {selector}");
            check_sound(&page, &url, &format!("{run}, {name}"));
            page.screenshot(&pictures().join(format!("{run}-{name}.png")), false);
        }
    }
}

#[test]
#[ignore = "needs Chromium"]
fn links_lead_somewhere_and_ids_are_unique() {
    let chromium = Chromium::start();
    let folder = tempfile::tempdir().unwrap();
    let page = chromium.open(&page(folder.path()), DESK);
    let dead = "[...document.querySelectorAll('a[href^=\"#\"], use')]
        .map(link => link.getAttribute('href').slice(1))
        .filter(id => !document.getElementById(id))";
    assert_eq!(page.eval(dead), json!([]));
    let ids = "[...document.querySelectorAll('[id]')].map(element => element.id)";
    let unique = page.eval(&format!("new Set({ids}).size === {ids}.length"));
    assert_eq!(unique, true);
    let foreign = "[...document.querySelectorAll('a:not([href^=\"#\"])')].filter(a => !a.href.startsWith('https://')).length";
    assert_eq!(page.eval(foreign), 0);
}

#[test]
#[ignore = "needs Chromium"]
fn columns_sort_and_workloads_filter() {
    let chromium = Chromium::start();
    let folder = tempfile::tempdir().unwrap();
    let page = chromium.open(&page(folder.path()), DESK);
    let order =
        "[...document.querySelectorAll('article.case')].find(a => a.id === 'case-spawn-n-1')
        .querySelectorAll('table.sortable tbody th')";
    let names = |page: &Page<'_>| page.eval(&format!("[...{order}].map(th => th.textContent)"));
    let before = names(&page);
    let press =
        "document.querySelectorAll('#case-spawn-n-1 table.sortable thead button')[1].click()";
    page.eval(press);
    page.eval(press);
    let by_value =
        "[...document.querySelectorAll('#case-spawn-n-1 table.sortable tbody td:nth-child(2)')]
        .map(td => Number(td.dataset.sort))";
    let values: Vec<f64> = serde_json::from_value(page.eval(by_value)).unwrap();
    assert!(values.len() > 4 && values.is_sorted_by(|a, b| a >= b), "{values:?}");
    assert_ne!(names(&page), before);
    page.eval(
        "const search = document.querySelector('.filter input');
        search.value = 'gather'; search.dispatchEvent(new Event('input'))",
    );
    let left: Vec<String> = serde_json::from_value(page.eval(
        "[...document.querySelector('table.matrix').querySelectorAll('tbody th[scope=row]')]
            .filter(th => th.offsetHeight > 0).map(th => th.textContent)",
    ))
    .unwrap();
    assert!(!left.is_empty() && left.iter().all(|name| name.contains("gather")), "{left:?}");
}

#[test]
#[ignore = "needs Chromium"]
fn text_stands_out_from_what_is_behind_it() {
    let chromium = Chromium::start();
    let folder = tempfile::tempdir().unwrap();
    let url = page(folder.path());
    for dark in [false, true] {
        let page = chromium.open(&url, Viewport { dark, ..DESK });
        // WCAG 2.2, 1.4.3: a contrast of 4.5 for text, by the definition of relative luminance there.
        let contrasts = page.eval(
            "(() => {
                const parts = colour => colour.match(/[\\d.]+/g).map(Number);
                const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
                    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
                const behind = element => {
                    for (let e = element; e; e = e.parentElement) {
                        const colour = parts(getComputedStyle(e).backgroundColor);
                        if (colour.length === 3 || colour[3] > 0) return colour;
                    }
                };
                const seen = new Map();
                const own = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim() !== '');
                for (const e of [...document.body.querySelectorAll('*')].filter(own)) {
                    if (e.closest('svg, script')) continue;
                    const [a, b] = [luminance(parts(getComputedStyle(e).color)), luminance(behind(e))];
                    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                    if (contrast < 4.5) seen.set(e.tagName + '.' + e.className, contrast.toFixed(2));
                }
                return [...seen].map(([element, contrast]) => `${element} ${contrast}`);
            })()",
        );
        assert_eq!(contrasts, Value::Array(Vec::new()), "dark: {dark}");
    }
}
