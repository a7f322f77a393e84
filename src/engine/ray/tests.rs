//! The engine against a server of our own that answers as Ray 2.60 was seen to answer.

mod server;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::config::EngineName;
use crate::engine::{Ending, State};
use server::{Answer, Call, Server};

fn ok(value: Value) -> Answer {
    Some((200, value.to_string()))
}

fn ray(address: &str, logs: &Path) -> Ray {
    let mut profile = Profile::new(EngineName::Ray, 0..0);
    profile.address = Some(address.to_owned());
    profile.gpus = Some(1);
    let place = Place {
        pool: "gpus".into(),
        jobs: "nn-0123456789-gpus".into(),
        store: "/s".into(),
        logs: logs.to_owned(),
        logs_there: "/s/v1/pools/gpus/logs".into(),
        lab: "/bin/neuronotes-lab".into(),
    };
    Ray::new(&profile, place)
}

fn workers(count: u32) -> Workers {
    Workers { count, submission: 4, probe: None }
}

fn job(id: &str, status: &str, more: Value) -> Value {
    let mut job = json!({
        "type": "SUBMISSION", "job_id": null, "submission_id": id, "driver_info": null, "status": status, "entrypoint": "x",
        "message": null, "error_type": null, "start_time": 1, "end_time": null, "metadata": null, "runtime_env": null,
        "driver_agent_http_address": null, "driver_node_id": null, "driver_exit_code": null,
    });
    for (name, value) in more.as_object().expect("fields") {
        job[name] = value.clone();
    }
    job
}

fn nodes() -> Value {
    let node = |id: &str, state: &str, resources: Value| json!({ "node_id": id, "node_name": format!("host-{id}"), "state": state, "resources_total": resources });
    let all = [
        node("a", "ALIVE", json!({ "CPU": 2.0 })),
        node("b", "DEAD", json!({ "CPU": 2.0, "GPU": 1.0 })),
    ];
    json!({ "result": true, "data": { "result": { "result": all } } })
}

fn cluster_status(types: Value) -> Value {
    json!({ "data": { "clusterStatus": { "autoscalerReport": { "nodeTypeMapping": types } } } })
}

const LIST: &str = "GET /api/jobs/";

#[test]
fn each_worker_is_a_job_and_a_call_whose_answer_was_lost_is_made_again() {
    let server = Server::new(|call, _| {
        let id = call.body["submission_id"].as_str().unwrap_or_default().to_owned();
        let exists = format!(
            "Traceback …\nValueError: Job with submission_id {id} already exists. Please …\n.\n"
        );
        match id.as_str() {
            // The job is made, but the connection breaks before the answer.
            "nn-0123456789-gpus-4-1" if !once(&id) => Some((500, exists)),
            "nn-0123456789-gpus-4-1" => None,
            _ => ok(json!({ "job_id": id, "submission_id": id })),
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut ray = ray(&server.address, folder.path());
    let ids = ray.submit(&Workers { probe: Some("p1".into()), ..workers(3) }).expect("submitted");
    let expected: Vec<String> = (0..3).map(|n| format!("nn-0123456789-gpus-4-{n}")).collect();
    assert_eq!(ids, expected);
    let calls = server.calls("POST /api/jobs/");
    assert_eq!(calls.len(), 4);
    let of = |id: &str| calls.iter().find(|call| call.body["submission_id"] == id).expect("a call");
    let body = &of(&expected[0]).body;
    let entrypoint = body["entrypoint"].as_str().expect("a line");
    assert!(entrypoint.ends_with("--idle 60 --probe p1"), "{entrypoint}");
    assert_eq!(body["entrypoint_num_gpus"], 1.0);
    assert_eq!(body["entrypoint_num_cpus"], 1.0);
    assert_eq!(body["runtime_env"]["env_vars"]["NEURONOTES_JOB"], *expected[0]);
}

/// Whether this is asked for the first time with this text.
fn once(text: &str) -> bool {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut seen = SEEN.lock().expect("texts");
    let is_new = !seen.iter().any(|other| other == text);
    seen.push(text.to_owned());
    is_new
}

#[test]
fn a_refusal_is_shown_in_rays_words_unless_some_were_accepted() {
    let answer = |call: &Call| {
        let id = call.body["submission_id"].as_str().unwrap_or_default();
        match id.ends_with("-0") {
            true => ok(json!({ "submission_id": id })),
            false => {
                Some((500, "Traceback …\nValueError: entrypoint_memory must be less\n".into()))
            }
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let some = Server::new(move |call, _| answer(call));
    let ids = ray(&some.address, folder.path()).submit(&workers(3)).expect("one was accepted");
    assert_eq!(ids, ["nn-0123456789-gpus-4-0"]);
    let none = Server::new(|_, _| Some((500, "ValueError: entrypoint_memory must be less".into())));
    let mut refuses = ray(&none.address, folder.path());
    let refusal = refuses.submit(&workers(2)).expect_err("refused");
    assert!(!refuses.is_away());
    assert_eq!(refusal.message, "Ray did not accept the job: entrypoint_memory must be less");
    assert_eq!(none.calls("POST /api/jobs/").len(), 2, "a refusal is final");
}

#[test]
fn states_are_told_in_the_words_of_engines() {
    let metadata = json!({ resources::METADATA: "{\"CPU\":1.0,\"GPU\":1.0}" });
    let id = |n: u32| format!("nn-0123456789-gpus-1-{n}");
    let died = |message: &str| json!({ "error_type": "JOB_SUPERVISOR_ACTOR_DIED", "message": message, "driver_node_id": "b" });
    let exit = |code: i64| json!({ "error_type": "JOB_ENTRYPOINT_COMMAND_ERROR", "message": "…", "driver_exit_code": code });
    let jobs = json!([
        job(&id(0), "PENDING", json!({ "metadata": metadata })),
        job(&id(1), "RUNNING", json!({ "driver_node_id": "a" })),
        job(&id(2), "STOPPED", json!({})),
        job(&id(3), "SUCCEEDED", json!({})),
        job(&id(4), "FAILED", died("The actor died because its node has died.")),
        job(&id(5), "FAILED", died("Task was killed due to the node running low on memory.")),
        job(&id(6), "FAILED", exit(3)),
        job(&id(7), "FAILED", exit(137)),
        job(
            &id(8),
            "FAILED",
            json!({ "error_type": "RUNTIME_ENV_SETUP_FAILURE", "message": "\nNo such package.\nx" })
        ),
        job(&id(9), "THINKING", json!({})),
        // Those of others: another pool whose name begins alike, a program that uses Ray itself, and a stranger.
        job("nn-0123456789-gpus-2-1-0", "RUNNING", json!({})),
        job("nn-0123456789-gpus-x-0", "RUNNING", json!({})),
        json!({ "type": "DRIVER", "job_id": "01", "submission_id": null, "status": "RUNNING" }),
        job("raysubmit_1", "RUNNING", json!({})),
    ]);
    let server = Server::new(move |call, _| match call.line.as_str() {
        LIST => ok(jobs.clone()),
        "GET /api/cluster_status" => ok(cluster_status(json!({ "a": "node_a" }))),
        _ => ok(nodes()),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut ray = ray(&server.address, folder.path());
    let jobs = ray.jobs().expect("jobs");
    let failed = |why: &str| State::Ended(Ending::Failed(why.into()));
    let states: Vec<State> = jobs.iter().map(|job| job.state.clone()).collect();
    let expected = [
        State::Waiting,
        State::Running,
        State::Ended(Ending::Cancelled),
        State::Ended(Ending::Completed),
        State::Ended(Ending::Lost),
        State::Ended(Ending::OutOfMemory),
        failed("its program ended with exit code 3"),
        failed("its program was killed (signal 9), perhaps for its memory"),
        failed("No such package."),
        State::Other("unknown to this version".into()),
    ];
    assert_eq!(states, expected);
    assert_eq!(jobs[1].node.as_deref(), Some("host-a"));
    let lack = "no node of Ray has 1 GPU (there is 1 node, with 2 CPU, 0 GPU)";
    assert_eq!(jobs[0].reason.as_deref(), Some(lack));
    assert!(jobs[0].hopeless.as_ref().is_some_and(|why| why.starts_with(lack)), "{:?}", jobs[0]);
}

#[test]
fn where_nodes_may_come_nothing_is_hopeless() {
    let metadata = json!({ resources::METADATA: "{\"GPU\":1.0}" });
    for types in [json!({ "a": "gpu-group" }), json!({}), Value::Null] {
        let list =
            json!([job("nn-0123456789-gpus-1-0", "PENDING", json!({ "metadata": metadata }))]);
        let server = Server::new(move |call, _| match call.line.as_str() {
            LIST => ok(list.clone()),
            "GET /api/cluster_status" => ok(cluster_status(types.clone())),
            _ => ok(nodes()),
        });
        let folder = tempfile::tempdir().expect("a folder");
        let jobs = ray(&server.address, folder.path()).jobs().expect("jobs");
        assert_eq!(jobs[0].hopeless, None);
        assert!(jobs[0].reason.as_ref().is_some_and(|why| why.contains("1 GPU")), "{jobs:?}");
    }
}

#[test]
fn no_answer_is_no_news() {
    let folder = tempfile::tempdir().expect("a folder");
    let answers: [(&str, Answer); 4] = [
        ("Ray answered 503", Some((503, "busy".into()))),
        ("not understood", Some((200, "<html>".into()))),
        ("not understood", Some((200, "{}".into()))),
        ("the connection broke", None),
    ];
    for (expected, answer) in answers {
        let server = Server::new(move |_, _| answer.clone());
        let mut ray = ray(&server.address, folder.path());
        let news = ray.jobs().expect_err("no news");
        assert!(news.0.contains(expected), "{news}");
        assert_eq!(ray.is_away(), !expected.contains("understood"), "{news}");
    }
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = format!("http://{}", gone.expect("an address"));
    let mut none = ray(&address, folder.path());
    let news = none.jobs().expect_err("no news");
    assert!(news.0.starts_with("Ray was not reached ("), "{news}");
    let problem = none.submit(&workers(1)).expect_err("nothing is there");
    assert!(problem.message.contains("no usable answer"), "{problem}");
    assert!(none.is_away());
    let problem = ray(&address, folder.path()).find().expect_err("nothing is there");
    assert!(problem.message.starts_with(&format!("Ray was not found at {address} (")), "{problem}");
    assert!(problem.hint.is_some_and(|hint| hint.contains("ray start --head")));
}

#[test]
fn who_looks_for_ray_is_told_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let found = |answer: Answer| {
        let server = Server::new(move |_, _| answer.clone());
        ray(&server.address, folder.path()).find()
    };
    let version = |text: &str| ok(json!({ "version": "4", "ray_version": text }));
    assert_eq!(found(version("2.60.0")), Ok("2.60.0".into()));
    assert_eq!(found(version("3.0.0.dev0")), Ok("3.0.0.dev0".into()));
    for (answer, message, hint) in [
        (version("2.8.1"), "Ray 2.8.1 at http", "2.9 or newer"),
        (
            Some((401, "Unauthorized: Missing authentication token".into())),
            "denied access: Unauthorized: Missing",
            "`token`",
        ),
        (
            Some((403, "Forbidden: Invalid authentication token".into())),
            "denied access: Forbidden",
            "RAY_AUTH_TOKEN",
        ),
        (Some((404, "x".into())), "has no jobs interface of Ray", "ray[default]"),
        (Some((200, "<html>".into())), "does not answer as Ray does", "8265"),
        (None, "does not answer as Ray does", "8265"),
    ] {
        let problem = found(answer).expect_err(message);
        assert!(problem.message.contains(message), "{problem}");
        assert!(problem.hint.as_ref().is_some_and(|found| found.contains(hint)), "{problem}");
    }
    let mut profile = Profile::new(EngineName::Ray, 0..0);
    profile.token = Some("NEURONOTES_TEST_NO_SUCH_VARIABLE".into());
    let place = ray("http://127.0.0.1:9", folder.path()).place;
    let problem = Ray::new(&profile, place.clone()).find().expect_err("no token");
    assert!(problem.message.contains("NEURONOTES_TEST_NO_SUCH_VARIABLE"), "{problem}");
    assert!(Ray::new(&profile, place).jobs().is_err());
}

#[test]
fn the_token_goes_into_the_header_and_nowhere_else() {
    let server = Server::new(|_, _| Some((500, "RuntimeError: broken".into())));
    let folder = tempfile::tempdir().expect("a folder");
    let mut ray = ray(&server.address, folder.path());
    ray.http = Ok(Http::new(&server.address, Some("s3cret".into())));
    let said = [
        format!("{:?}", ray.find()),
        format!("{:?}", ray.jobs()),
        format!("{:?}", ray.submit(&workers(1))),
        format!("{:?}", ray.cancel()),
    ];
    assert!(
        said.iter().all(|said| said.contains("broken") && !said.contains("s3cret")),
        "{said:?}"
    );
    let calls = server.calls.lock().expect("calls");
    assert!(calls.len() >= 4);
    assert!(calls.iter().all(|call| call.authorization.as_deref() == Some("Bearer s3cret")));
    assert!(calls.iter().all(|call| !call.body.to_string().contains("s3cret")));
}

#[test]
fn cancelling_stops_what_lives_and_forgets_what_has_ended() {
    let id = |n: u32| format!("nn-0123456789-gpus-1-{n}");
    let list = json!([
        job(&id(0), "PENDING", json!({})),
        job(&id(1), "RUNNING", json!({})),
        job(&id(2), "FAILED", json!({ "message": "x" })),
        job("raysubmit_1", "RUNNING", json!({})),
    ]);
    let after = json!([
        job(&id(0), "PENDING", json!({})),
        job(&id(1), "STOPPED", json!({})),
        job(&id(2), "FAILED", json!({ "message": "x" })),
    ]);
    let server = Server::new(move |call, earlier| match call.line.as_str() {
        // It takes a moment until it has ended.
        LIST if earlier < 2 => ok(list.clone()),
        LIST => ok(after.clone()),
        "GET /api/v0/nodes?limit=10000" => ok(nodes()),
        line if line.ends_with("-1-1/stop") => Some((404, "Job does not exist".into())),
        line if line.ends_with("/stop") => ok(json!({ "stopped": true })),
        line if line.starts_with("DELETE ") => ok(json!({ "deleted": true })),
        _ => Some((500, "x".into())),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut ray = ray(&server.address, folder.path());
    ray.cancel().expect("cancelled");
    for (line, count) in [
        (format!("POST /api/jobs/{}/stop", id(0)), 1),
        (format!("POST /api/jobs/{}/stop", id(1)), 1),
        (format!("POST /api/jobs/{}/stop", id(2)), 0),
        (format!("DELETE /api/jobs/{}", id(0)), 0),
        (format!("DELETE /api/jobs/{}", id(1)), 1),
        (format!("DELETE /api/jobs/{}", id(2)), 1),
    ] {
        assert_eq!(server.calls(&line).len(), count, "{line}");
    }
    // Ray goes on calling the first one waiting.
    let jobs = ray.jobs().expect("jobs");
    assert_eq!(jobs[0].state, State::Ended(Ending::Cancelled));
}

#[test]
fn of_a_jobs_output_the_end_is_shown_wherever_it_lies() {
    let server = Server::new(|call, _| match call.line.as_str() {
        line if line.starts_with("GET /api/v0/logs/file?node_id=a&") => {
            Some((200, "sh: cannot create\n".into()))
        }
        line if line.starts_with("GET /api/v0/logs/") => Some((500, "no such node".into())),
        "GET /api/jobs/nn-0123456789-gpus-1-1" => {
            ok(job("nn-0123456789-gpus-1-1", "RUNNING", json!({ "driver_node_id": "a" })))
        }
        "GET /api/jobs/nn-0123456789-gpus-1-2" => {
            let more = json!({ "driver_node_id": "b", "message": "failed with\nexit code 3" });
            ok(job("nn-0123456789-gpus-1-2", "FAILED", more))
        }
        _ => Some((404, "x".into())),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut ray = ray(&server.address, folder.path());
    let lines: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
    let log = folder.path().join("nn-0123456789-gpus-1-0.log");
    fs::write(log, lines.join("\n")).expect("a log");
    let own = ray.log("nn-0123456789-gpus-1-0").expect("a log");
    assert_eq!(own, lines[80..].join("\n"));
    assert_eq!(ray.log("nn-0123456789-gpus-1-1").as_deref(), Some("sh: cannot create"));
    assert_eq!(ray.log("nn-0123456789-gpus-1-2").as_deref(), Some("failed with\nexit code 3"));
    assert_eq!(ray.log("nn-0123456789-gpus-1-3"), None);
    assert_eq!(ray.log("../../secret"), None);
}
