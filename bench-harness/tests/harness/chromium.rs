//! What does a page do in a browser? A synchronous client of headless Chromium over the DevTools protocol.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use data_encoding::BASE64;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const PATIENCE: Duration = Duration::from_secs(30);
const SWITCHES: [&str; 11] = [
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
];

/// A running browser with a profile of its own. Dropping it kills it.
pub(crate) struct Chromium {
    devtools: RefCell<DevTools>,
    _process: Process,
}

/// What a page is shown on.
#[derive(Clone, Copy)]
pub(crate) struct Viewport {
    /// In CSS pixels, of which each is one pixel of a screenshot.
    pub(crate) width: u32,
    /// In CSS pixels.
    pub(crate) height: u32,
    /// Whether `prefers-color-scheme` is dark; light otherwise.
    pub(crate) dark: bool,
    /// Whether the page's own scripts run.
    pub(crate) script: bool,
}

/// A loaded page. Dropping it closes it.
pub(crate) struct Page<'a> {
    chromium: &'a Chromium,
    target: String,
    session: String,
}

/// The browser's processes and the folder that they write to.
struct Process {
    leader: Child,
    profile: TempDir,
}

/// The connection to the browser.
struct DevTools {
    socket: WebSocket<TcpStream>,
    sent: u64,
    /// Every event of every page, in the order of arrival.
    events: Vec<Value>,
}

impl Chromium {
    /// Starts the first Chromium on `PATH`.
    ///
    /// # Panics
    /// If there is none, or if it does not start.
    pub(crate) fn start() -> Self {
        let program = find().expect("Chromium is on PATH, such as by Debian's package chromium");
        let mut process = Process::start(&program);
        let devtools = RefCell::new(process.connect());
        Self { devtools, _process: process }
    }

    /// Opens a page and waits until its `load` event is over.
    pub(crate) fn open(&self, url: &str, viewport: Viewport) -> Page<'_> {
        let Viewport { width, height, dark, script } = viewport;
        let made = self.call(None, "Target.createTarget", json!({ "url": "about:blank" }));
        let target = text(&made["targetId"]);
        let attach = json!({ "targetId": target, "flatten": true });
        let session = text(&self.call(None, "Target.attachToTarget", attach)["sessionId"]);
        let page = Page { chromium: self, target, session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true }));
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        page.call("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        page.call("Emulation.setEmulatedMedia", json!({ "features": features }));
        page.call("Emulation.setScriptExecutionDisabled", json!({ "value": !script }));
        let navigation = page.call("Page.navigate", json!({ "url": url }));
        assert!(navigation["errorText"].is_null(), "{url}: {}", navigation["errorText"]);
        // Unlike `Page.loadEventFired`, this tells the page from the blank one before it.
        self.devtools.borrow_mut().wait(&page.session, |event| {
            event["method"] == "Page.lifecycleEvent"
                && event["params"]["name"] == "load"
                && event["params"]["loaderId"] == navigation["loaderId"]
        });
        page
    }

    fn call(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.devtools.borrow_mut().call(session, method, params)
    }
}

impl Page<'_> {
    /// What a JavaScript expression comes to. It works without the page's scripts, too.
    ///
    /// # Panics
    /// If the expression throws.
    pub(crate) fn eval(&self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", params);
        let thrown = &answer["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {}", exception(thrown));
        answer["result"]["value"].take()
    }

    /// Writes a PNG of the viewport, or of the whole page however long it is.
    pub(crate) fn screenshot(&self, path: &Path, whole: bool) {
        let params = json!({ "format": "png", "captureBeyondViewport": whole });
        let picture = text(&self.call("Page.captureScreenshot", params)["data"]);
        fs::write(path, BASE64.decode(picture.as_bytes()).unwrap()).unwrap();
    }

    /// The address of everything that the page has asked for so far, itself first. Not among them are
    /// `data:` addresses, WebSockets, and what a worker or a frame of another site asks for; over HTTP,
    /// `/favicon.ico` joins them some time after the `load` event if the page names no icon.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.events(|method, params| {
            (method == "Network.requestWillBeSent").then(|| text(&params["request"]["url"]))
        })
    }

    /// The uncaught exceptions, errors and warnings so far: of the page's scripts and of the browser.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let bad = |level: &Value| level == "error" || level == "warning";
        self.events(|method, params| match method {
            "Runtime.exceptionThrown" => Some(exception(&params["exceptionDetails"])),
            "Runtime.consoleAPICalled" if bad(&params["type"]) => {
                let arguments = params["args"].as_array().unwrap();
                Some(arguments.iter().map(object).collect::<Vec<_>>().join(" "))
            }
            "Log.entryAdded" if bad(&params["entry"]["level"]) => {
                let entry = &params["entry"];
                Some(format!("{} {}", text(&entry["text"]), entry["url"].as_str().unwrap_or("")))
            }
            _ => None,
        })
    }

    /// Milliseconds from the start of the navigation to the end of the `load` event.
    pub(crate) fn load_ms(&self) -> f64 {
        let entry = "performance.getEntriesByType('navigation')[0]";
        self.eval(&format!("{entry}.loadEventEnd - {entry}.startTime")).as_f64().unwrap()
    }

    /// What `pick` makes of the events of this page. The evaluation brings in those not yet read.
    fn events(&self, pick: impl Fn(&str, &Value) -> Option<String>) -> Vec<String> {
        self.eval("0");
        let devtools = self.chromium.devtools.borrow();
        let ours = devtools.events.iter().filter(|event| event["sessionId"] == *self.session);
        ours.filter_map(|event| pick(event["method"].as_str()?, &event["params"])).collect()
    }

    fn call(&self, method: &str, params: Value) -> Value {
        self.chromium.call(Some(&self.session), method, params)
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        // After a failure the connection may be dead, and the browser is about to be.
        if !thread::panicking() {
            self.chromium.call(None, "Target.closeTarget", json!({ "targetId": self.target }));
        }
    }
}

impl Process {
    fn start(program: &Path) -> Self {
        let profile = TempDir::new().unwrap();
        let output = File::create(profile.path().join("output")).unwrap();
        let mut command = Command::new(program);
        command.args(SWITCHES);
        // The folder was made by the user that we are, and root cannot have the sandbox.
        if fs::metadata(profile.path()).unwrap().uid() == 0 {
            command.arg("--no-sandbox");
        }
        // What it would leave in other places goes when the profile goes.
        command.env("TMPDIR", profile.path()).env("XDG_CONFIG_HOME", profile.path());
        let mut folder = OsString::from("--user-data-dir=");
        folder.push(profile.path());
        command.arg(folder).arg("about:blank").stdin(Stdio::null());
        command.stdout(output.try_clone().unwrap()).stderr(output);
        Self { leader: command.process_group(0).spawn().unwrap(), profile }
    }

    /// Waits for the browser to say where it listens, and goes there.
    fn connect(&mut self) -> DevTools {
        let begin = Instant::now();
        let (port, path) = loop {
            let said = fs::read_to_string(self.profile.path().join("DevToolsActivePort"));
            if let Some((port, path)) = said.as_deref().unwrap_or_default().split_once('\n')
                && !path.is_empty()
            {
                break (port.parse().unwrap(), path.to_owned());
            }
            let alive = self.leader.try_wait().unwrap().is_none();
            if !alive || begin.elapsed() > PATIENCE {
                panic!("no DevTools: {:?}", fs::read_to_string(self.profile.path().join("output")));
            }
            thread::sleep(Duration::from_millis(10));
        };
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream)
            .unwrap_or_else(|error| panic!("no DevTools: {error}"));
        DevTools { socket, sent: 0, events: Vec::new() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = Pid::from_raw(self.leader.id().cast_signed());
        // What is gone already is what is wanted.
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.leader.wait();
    }
}

impl DevTools {
    /// Has a command carried out, by the page of that session or by the browser.
    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut command = json!({ "id": self.sent, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        self.socket.send(Message::text(command.to_string())).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut message = self.read(deadline, method);
            if message["id"] == self.sent {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]["message"]);
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    /// Waits until a page has had such an event.
    fn wait(&mut self, session: &str, wanted: impl Fn(&Value) -> bool) {
        let wanted = |event: &Value| event["sessionId"] == session && wanted(event);
        let deadline = Instant::now() + PATIENCE;
        let mut arrived = self.events.iter().any(wanted);
        while !arrived {
            let event = self.read(deadline, "an event");
            arrived = wanted(&event);
            self.events.push(event);
        }
    }

    fn read(&mut self, deadline: Instant, what: &str) -> Value {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no answer in {PATIENCE:?}: {what}");
            self.socket.get_ref().set_read_timeout(Some(left)).unwrap();
            match self.socket.read() {
                Ok(Message::Text(message)) => return serde_json::from_str(&message).unwrap(),
                Ok(_) => {}
                Err(error) => panic!("no answer in {PATIENCE:?}: {what}: {error}"),
            }
        }
    }
}

fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    let places = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// What a thrown exception says.
fn exception(details: &Value) -> String {
    let described = details["exception"]["description"].as_str();
    described.map_or_else(|| format!("{} {}", details["text"], details["exception"]), str::to_owned)
}

/// What the console shows for an argument.
fn object(object: &Value) -> String {
    let shown = object["value"].as_str().or_else(|| object["description"].as_str());
    shown.map_or_else(|| object["value"].to_string(), str::to_owned)
}

/// What the tests of a page look for would be found if it were there.
#[test]
#[ignore = "needs Chromium"]
fn requests_and_complaints_are_noticed() {
    const PHONE: Viewport = Viewport { width: 375, height: 667, dark: false, script: true };
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("page.html");
    let image = "http://127.0.0.1:9/x.png";
    let script = "console.log('no'); console.error('x', 1); throw Error('z')";
    let body = format!("<title>A page</title><img src={image}><script>{script}</script>");
    fs::write(&file, format!("<!doctype html>{body}")).unwrap();
    let url = format!("file://{}", file.display());
    let chromium = Chromium::start();
    let page = chromium.open(&url, PHONE);
    assert_eq!(page.requests(), [&url, image]);
    let complaints = page.complaints();
    for wanted in ["x 1", "Error: z", image] {
        assert!(complaints.iter().any(|said| said.contains(wanted)), "{wanted}: {complaints:?}");
    }
    assert_eq!(complaints.len(), 3);
}
