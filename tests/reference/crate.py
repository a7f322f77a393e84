"""Validates a crate of `neuronotes crate` without a network, and its CITATION.cff.

    python tests/reference/crate.py DIR

Needs the packages in crate.txt. The validators are the ones that archives use: roc-validator 0.13 with the profile Process Run
Crate 0.5, and cffconvert 2.0. roc-validator loads the JSON-LD context over the network even for a local crate, in two places;
both are given crate/context.jsonld instead, which is the context of RO-Crate 1.1 as published at
https://w3id.org/ro/crate/1.1/context (CC0 1.0). Prints each issue, and fails if there is one.
"""

import json
import sys
from pathlib import Path

import requests
from cffconvert.cli.create_citation import create_citation
from rocrate_validator import models, services
from rocrate_validator.utils import document_loader
from rocrate_validator.utils.http import HttpRequester

CONTEXT = Path(__file__).parent / "crate" / "context.jsonld"


def local(url):
    """The context instead of anything on the network."""
    if "ro/crate/1.1" not in url and "researchobject.org" not in url:
        raise OSError(f"no network in this test: {url}")
    return json.loads(CONTEXT.read_text())


class Answer(requests.Response):
    """An answer with the context."""

    def __init__(self, url):
        super().__init__()
        self.status_code = 200
        self.url = url
        self.headers["Content-Type"] = "application/ld+json"
        self._content = json.dumps(local(url)).encode()


def main():
    folder = Path(sys.argv[1])
    document_loader._fetch_json_ld = local
    HttpRequester.get = lambda self, url, **_: Answer(url)
    HttpRequester.head = HttpRequester.get
    settings = services.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="process-run-crate",
        requirement_severity=models.Severity.REQUIRED,
        offline=True,
        abort_on_first=False,
    )
    result = services.validate(settings)
    issues = list(result.get_issues())
    for issue in issues:
        print(f"{issue.severity.name} {issue.check.identifier}: {issue.message}")
    citation = folder / "CITATION.cff"
    if citation.exists():
        create_citation(str(citation), None).validate()
        print("CITATION.cff is valid")
    print(f"{len(issues)} issues")
    return 1 if issues or not result.executed_checks else 0


if __name__ == "__main__":
    sys.exit(main())
