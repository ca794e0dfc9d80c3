"""What `nexaflow init` writes."""

WORKFLOW = "workflows/hello.yaml"

_HELLO = """\
# A first workflow. Check it:        nexaflow validate workflows/
#                   Run it here:     nexaflow run workflows/hello.yaml -i name=you
#                   Give it to the
#                   daemon:          nexaflow apply workflows/
name: hello
description: Greet whoever is named, and every text file that arrives.

triggers:
  - event: file.created              # also file.updated, file.deleted, file.moved
    pattern: /workspace/inbox/*.txt  # try: nexaflow write /workspace/inbox/a.txt "some words"
  # - schedule: "0 7 * * 1-5"        # at seven, Monday to Friday
  #   timezone: Europe/Berlin

inputs:                              # also flags of the command line: -i name=you
  name: {type: string, default: world}

steps:
  - id: greet
    run: echo "Hello, $NAME!"        # values reach a command by its environment, never by its text
    env: {NAME: "${{ inputs.name }}"}
    output: text
    retry: {max_attempts: 3, backoff_seconds: 1}

  - id: report
    action: log
    with: {message: "${{ steps.greet.output }}"}

output: ${{ steps.greet.output }}
"""

_CI = """\
# Checks the workflows of each change, and applies those of the main branch.
# The second job runs on the daemon's own machine, as the daemon's user: no key to keep.
name: workflows
on:
  push: {branches: [main]}
  pull_request: {}

jobs:
  validate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - run: pip install nexaflow-cli
      - run: nexaflow validate --format github workflows/

  apply:
    needs: validate
    if: github.ref == 'refs/heads/main'
    runs-on: [self-hosted, nexaflow]
    steps:
      - uses: actions/checkout@v4
      - run: nexaflow apply workflows/   # with --prune, what is not here is deleted there
"""

FILES = {WORKFLOW: _HELLO, ".github/workflows/nexaflow.yaml": _CI}
"""Path below the directory to text."""
