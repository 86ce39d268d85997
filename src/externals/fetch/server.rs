//! A server on loopback that answers each path with what a test says, over real sockets.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is at a path: its bytes, and how many of them come before the line is cut.
type Answers = HashMap<String, (Vec<u8>, usize)>;

pub(super) struct Server {
    pub(super) url: String,
    // Shared with the server's threads, which run until the tests end.
    answers: Arc<Mutex<Answers>>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/dist", listener.local_addr().expect("bound"));
        let answers = Arc::new(Mutex::new(Answers::new()));
        let asked = Arc::new(AtomicUsize::new(0));
        let server = Self {
            url,
            answers: Arc::clone(&answers),
            asked: Arc::clone(&asked),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answers, asked) = (Arc::clone(&answers), Arc::clone(&asked));
                thread::spawn(move || serve(stream.expect("accepted"), &answers, &asked));
            }
        });
        server
    }

    pub(super) fn answer(&self, path: &str, body: &[u8]) {
        self.answer_in_part(path, body, body.len());
    }

    pub(super) fn answer_in_part(&self, path: &str, body: &[u8], sent: usize) {
        let mut answers = self.answers.lock().expect("no panic");
        answers.insert(format!("/dist/{path}"), (body.to_vec(), sent));
    }

    /// How often archives were asked for.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, answers: &Mutex<Answers>, asked: &AtomicUsize) {
    let mut head = BufReader::new(stream.try_clone().expect("a socket")).lines();
    let request = head.next().expect("a request").expect("in UTF-8");
    // Up to the empty line.
    let _ = head.find(|line| line.as_ref().is_ok_and(String::is_empty));
    let path = request.split(' ').nth(1).expect("a path").to_owned();
    if path.ends_with(".gz") {
        asked.fetch_add(1, Ordering::SeqCst);
    }
    let answer = answers.lock().expect("no panic").get(&path).cloned();
    let (status, (body, sent)) = match answer {
        Some(answer) => ("200 OK", answer),
        None => ("404 Not Found", (Vec::new(), 0)),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // A client may have gone away.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body[..sent]);
}
