//! Reads profiles of the configuration (`run:`), and says what is wrong with them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use neuronotes_core::pool;
use neuronotes_core::suggest;

use super::run::{ENGINES, EngineName, Profile};
use super::settings::Settings;
use super::url::absolute_url;
use super::{duration, is_device};
use crate::yaml::{Entry, Node, Value};

/// Most workers of a profile.
const MOST: i64 = 10_000;
/// Options of `sbatch` that would take from the program what it sets itself, long and short.
const OURS: [(&str, &str); 11] = [
    ("--array", "-a"),
    ("--job-name", "-J"),
    ("--output", "-o"),
    ("--error", "-e"),
    ("--clusters", "-M"),
    ("--parsable", ""),
    ("--wrap", ""),
    ("--wait", "-W"),
    ("--test-only", ""),
    ("--quiet", "-Q"),
    ("--help", "-h"),
];

impl Settings<'_> {
    pub(super) fn profiles(&mut self, entry: &Entry) -> BTreeMap<String, Profile> {
        let Some(entries) = entry.node.entries() else {
            let expected = "a mapping of names to profiles, such as { cluster: { engine: slurm } }";
            self.wrong(&entry.node, &entry.key, expected);
            return BTreeMap::new();
        };
        let read = |named: &Entry| Some((named.key.clone(), self.profile(named)?));
        entries.iter().filter_map(read).collect()
    }

    fn profile(&mut self, named: &Entry) -> Option<Profile> {
        if !pool::is_name(&named.key) {
            let message = format!("`{}` is not a name of a profile", named.key);
            let hint = "use at most 40 letters a-z, digits and hyphens";
            self.problems.push(self.reader.at_key(named, message).hint(hint));
            return None;
        }
        let Some(fields) = named.node.entries() else {
            let expected = "a mapping, such as { engine: slurm, workers: 8, partition: gpu }";
            self.wrong(&named.node, &named.key, expected);
            return None;
        };
        let engine = self.engine(named, fields)?;
        let known = engine.fields();
        let mut profile = Profile::new(engine, self.reader.key_span(named));
        for field in fields {
            let key = field.key.as_str();
            if known.contains(&key) {
                self.field(&mut profile, field);
                continue;
            }
            let others = EngineName::with(key);
            if !others.is_empty() {
                let message =
                    format!("`{key}` is not a field of the engine `{}`", engine.written());
                let hint = format!("profiles of `{}` have it", others.join("` and `"));
                self.problems.push(self.reader.at_key(field, message).hint(hint));
            } else {
                self.unknown(field, &format!("`{}`", named.key), &known);
            }
        }
        Some(profile)
    }

    /// The engine that a profile names, or that has its name.
    fn engine(&mut self, named: &Entry, fields: &[Entry]) -> Option<EngineName> {
        let known = ENGINES.map(EngineName::written);
        let written = fields.iter().find(|field| field.key == "engine");
        let Some(field) = written.filter(|field| field.node.value != Value::Null) else {
            let engine = EngineName::named(&named.key);
            if engine.is_none() {
                let message = format!("`{}` has no `engine`", named.key);
                let hint = "name what starts its workers: `engine: slurm`, `ray` or `local`";
                self.problems.push(self.reader.at_key(named, message).hint(hint));
            }
            return engine;
        };
        let text = self.text(field)?;
        let engine = EngineName::named(&text);
        if engine.is_none() {
            let problem = self.reader.at_value(&field.node, format!("no engine `{text}`"));
            self.problems.push(problem.hint(suggest::hint(&text, known)));
        }
        engine
    }

    fn field(&mut self, profile: &mut Profile, field: &Entry) {
        let node = &field.node;
        if node.value == Value::Null {
            return;
        }
        match field.key.as_str() {
            "workers" => {
                if let Some(count) = self.whole(field, 1, MOST) {
                    profile.workers = count;
                }
            }
            "concurrency" => profile.concurrency = self.whole(field, 1, MOST),
            "gpus" => profile.gpus = self.whole(field, 0, 64),
            "cpus" => profile.cpus = self.whole(field, 1, 4096),
            "device" => match self.text(field) {
                Some(device) if is_device(&device) => profile.device = device,
                _ => self.wrong(node, "device", "`auto`, `cpu` or `cuda:N`"),
            },
            "time" => profile.time = self.time(field),
            "idle" => {
                if let Some(idle) = self.time(field) {
                    profile.idle = idle;
                }
            }
            "memory" => profile.memory = self.memory(field),
            "partition" => profile.partition = self.word(field),
            "account" => profile.account = self.word(field),
            "options" => profile.options = self.options(field),
            "head" => profile.head = self.text(field).filter(|head| !head.trim().is_empty()),
            "address" => {
                if let Some(written) = self.text(field) {
                    profile.address = absolute_url(&written);
                    if profile.address.is_none() {
                        let expected = "an address such as http://127.0.0.1:8265";
                        self.wrong(node, &field.key, expected);
                    }
                }
            }
            "token" => profile.token = self.variable(field),
            "resources" => profile.resources = self.resources(field),
            "lab" => profile.lab = self.absolute(field),
            "store" => profile.store = self.absolute(field),
            // The engine was read first.
            _ => {}
        }
    }

    fn whole(&mut self, field: &Entry, least: i64, most: i64) -> Option<u32> {
        let number = match field.node.value {
            Value::Integer(number) if (least..=most).contains(&number) => {
                u32::try_from(number).ok()
            }
            _ => None,
        };
        if number.is_none() {
            let expected = format!("a whole number from {least} to {most}");
            self.wrong(&field.node, &field.key, &expected);
        }
        number
    }

    fn time(&mut self, field: &Entry) -> Option<Duration> {
        let text = field.node.text().unwrap_or_default();
        let time = duration::read(&text);
        if time.is_none() {
            let problem = self.reader.wrong(&field.node, &field.key, duration::EXPECTED);
            self.problems.push(problem.hint(duration::hint(&text)));
        }
        time
    }

    /// A size: a whole number and a letter, which every engine reads in the same way.
    fn memory(&mut self, field: &Entry) -> Option<String> {
        let text = field.node.text().unwrap_or_default();
        let digits = text.trim_end_matches(['K', 'M', 'G', 'T']);
        let is_number = digits.parse::<u64>().is_ok_and(|number| number > 0);
        if is_number && text.len() == digits.len() + 1 && !digits.starts_with('+') {
            return Some(text);
        }
        self.wrong(&field.node, &field.key, "a size such as `32G` (K, M, G or T)");
        None
    }

    /// A text without spaces.
    fn word(&mut self, field: &Entry) -> Option<String> {
        let text = self.text(field).filter(|text| !text.is_empty())?;
        let is_word = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        if !is_word {
            self.wrong(&field.node, &field.key, "a name without spaces");
        }
        is_word.then_some(text)
    }

    fn options(&mut self, field: &Entry) -> Vec<String> {
        let Value::List(items) = &field.node.value else {
            let expected = "a list of options, such as [\"--constraint=h100\", \"--qos=short\"]";
            self.wrong(&field.node, &field.key, expected);
            return Vec::new();
        };
        let mut options: Vec<String> = Vec::new();
        for item in items {
            let Some(text) = item.item().filter(|text| !text.is_empty() && !text.contains('\0'))
            else {
                self.wrong(item, &field.key, "options");
                continue;
            };
            let name = text.split('=').next().unwrap_or_default();
            let is_short = |short: &str| {
                let is_plain = text.starts_with(short) && !text.starts_with("--");
                !short.is_empty() && is_plain
            };
            let ours = OURS.iter().find(|(long, short)| name == *long || is_short(short));
            if let Some((long, _)) = ours {
                let message =
                    format!("`{long}` cannot be among `options`: the program sets it itself");
                let span = self.reader.item_span(item);
                self.problems.push(self.reader.at.error(span, message).hint("remove it"));
            } else if options.is_empty() && !text.starts_with('-') {
                let message = format!("`{text}` is not an option of `sbatch`");
                let span = self.reader.item_span(item);
                let hint = "options begin with a hyphen: \"--constraint=h100\"";
                self.problems.push(self.reader.at.error(span, message).hint(hint));
            } else {
                options.push(text);
            }
        }
        options
    }

    /// The name of an environment variable. What is written may be a secret, and is not repeated.
    fn variable(&mut self, field: &Entry) -> Option<String> {
        let text = self.text(field)?;
        let is_name = |text: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
            !text.is_empty()
                && text.chars().all(allowed)
                && !text.starts_with(|c: char| c.is_ascii_digit())
        };
        // A token is hexadecimal digits, or long.
        let is_secret = text.len() >= 32 && text.bytes().any(|byte| byte.is_ascii_digit());
        if is_name(&text) && !is_secret {
            return Some(text);
        }
        let message = "`token` must be the name of an environment variable";
        let hint = "keep the token itself out of this file: `token: RAY_AUTH_TOKEN`";
        self.problems.push(self.reader.at_value(&field.node, message).hint(hint));
        None
    }

    fn resources(&mut self, field: &Entry) -> BTreeMap<String, f64> {
        let Some(entries) = field.node.entries() else {
            self.wrong(&field.node, &field.key, "a mapping of names to numbers, such as { n1: 1 }");
            return BTreeMap::new();
        };
        let mut resources = BTreeMap::new();
        for entry in entries {
            match amount(&entry.node) {
                Some(amount) => {
                    resources.insert(entry.key.clone(), amount);
                }
                None => self.wrong(&entry.node, &entry.key, "a number above 0"),
            }
        }
        resources
    }

    fn absolute(&mut self, field: &Entry) -> Option<PathBuf> {
        let text = self.text(field)?;
        if text.starts_with('/') {
            return Some(text.into());
        }
        let problem = self.reader.wrong(&field.node, &field.key, "an absolute path");
        let hint = "it is a path on the machines of the workers";
        self.problems.push(problem.hint(hint));
        None
    }
}

fn amount(node: &Node) -> Option<f64> {
    let amount = match node.value {
        Value::Integer(number) => number as f64,
        Value::Number(number) => number,
        _ => return None,
    };
    (amount > 0.0 && amount.is_finite()).then_some(amount)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::config::parse;

    #[test]
    fn a_profile_says_what_its_workers_need() {
        let text = "run:\n  cluster:\n    engine: slurm\n    workers: 8\n    concurrency: 4\n    partition: gpu\n    \
                    account: interp\n    time: 4h\n    gpus: 1\n    cpus: 8\n    memory: 32G\n    device: auto\n    \
                    idle: 90 s\n    options: [\"--constraint=h100\", \"-q\", short]\n    head: |\n      module load cuda\n    \
                    lab: /home/me/bin/neuronotes-lab\n    store: /scratch/me/store\n  slurm:\n  \
                    ray:\n    address: http://127.0.0.1:8265\n    token: RAY_AUTH_TOKEN\n    resources: { n1: 1, n2: 0.5 }\n";
        let (config, problems) = parse(text, Path::new("/garden"));
        assert_eq!(problems, []);
        let cluster = &config.run["cluster"];
        let expected = Profile {
            workers: 8,
            concurrency: Some(4),
            partition: Some("gpu".into()),
            account: Some("interp".into()),
            time: Some(Duration::from_secs(4 * 3600)),
            gpus: Some(1),
            cpus: Some(8),
            memory: Some("32G".into()),
            idle: Duration::from_secs(90),
            options: ["--constraint=h100", "-q", "short"].map(str::to_owned).to_vec(),
            head: Some("module load cuda\n".into()),
            lab: Some("/home/me/bin/neuronotes-lab".into()),
            store: Some("/scratch/me/store".into()),
            ..Profile::new(EngineName::Slurm, cluster.span.clone())
        };
        assert_eq!(*cluster, expected);
        assert_eq!(&text[cluster.span.clone()], "cluster");
        let slurm = &config.run["slurm"];
        assert_eq!(*slurm, Profile::new(EngineName::Slurm, slurm.span.clone()));
        let ray = &config.run["ray"];
        assert_eq!(ray.engine, EngineName::Ray);
        assert_eq!(ray.address.as_deref(), Some("http://127.0.0.1:8265"));
        assert_eq!(ray.token.as_deref(), Some("RAY_AUTH_TOKEN"));
        assert_eq!(ray.resources.values().sum::<f64>(), 1.5);
    }

    #[test]
    fn mistakes_about_profiles_have_their_places_and_hints() {
        let slurm = |fields: &str| format!("run: {{ slurm: {{ {fields} }} }}\n");
        let ray = |fields: &str| format!("run: {{ ray: {{ {fields} }} }}\n");
        let all: Vec<String> = [
            "run: slurm\n".into(),
            "run: { Cluster_1: { engine: slurm } }\n".into(),
            "run: { cluster: slurm }\n".into(),
            "run: { cluster: { workers: 3 } }\n".into(),
            "run: { cluster: { engine: slrum } }\n".into(),
            "run: { cluster: { engine: pbs, workers: 0 } }\n".into(),
            slurm("worker: 3"),
            slurm("workers: 0"),
            slurm("workers: many"),
            slurm("workers: 1.5, concurrency: 0"),
            slurm("time: 4"),
            slurm("time: 02:30"),
            slurm("time: soon"),
            slurm("idle: 0 s"),
            slurm("memory: 32"),
            slurm("memory: 32 GB"),
            slurm("gpus: h100"),
            slurm("cpus: 0"),
            slurm("device: gpu"),
            slurm("partition: gpu short"),
            slurm("options: --constraint=h100 --qos=short"),
            slurm("options: [constraint=h100]"),
            slurm("options: [\"--array=0-3\", \"-o\", x, -Jname, \"--constraint=a\"]"),
            slurm("address: http://127.0.0.1:8265"),
            slurm("lab: bin/neuronotes-lab"),
            slurm("store: ~/store"),
            slurm("head: [module load cuda]"),
            ray("partition: gpu"),
            ray("address: 127.0.0.1:8265"),
            ray("token: 8f0a52bd41c1d3e54be6f0c0a3b4d5e6f7a8"),
            ray("token: $RAY_AUTH_TOKEN"),
            ray("resources: n1"),
            ray("resources: { n1: none }"),
            "run: { local: { memory: 32G } }\n".into(),
        ]
        .iter()
        .flat_map(|text| parse(text, Path::new("/garden")).1)
        .map(|problem| problem.to_string())
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
