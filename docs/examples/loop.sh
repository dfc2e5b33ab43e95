#!/bin/sh
# The whole loop, once: what was received, features, is each model still right, scores.
# Ends with 0, or with 1 where something needs a person; the rest is done all the same.
set -eu

python=${PYTHON:-.venv/bin/python}
reports=${NEXTBEST_HOME:-.nextbest}/reports
failed=0

mkdir -p "$reports"
"$python" -m features export
"$python" -m features build

for model in ${MODELS:-segments lead_score churn ctr}; do
    report=$reports/$model.json
    rm -f "$report"
    code=0
    "$python" -m training monitor "$model" --report "$report" || code=$?
    # A program that breaks off ends with 1 as well; without a report nothing was found.
    [ -s "$report" ] || code=3
    case $code in
    0) ;;
    1) "$python" -m training "$model" --promote || failed=1 ;;
    2) "$python" -m training rollback "$model" --reason "monitor, see $report" || failed=1 ;;
    *)
        echo "$model: it cannot be told whether to keep the champion" >&2
        failed=1
        ;;
    esac
done

"$python" -m training score || failed=1
exit $failed
