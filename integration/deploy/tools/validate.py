# Reads {"version": "1.35", "objects": […]} and prints what Kubernetes would refuse, as a JSON list.
import json
import sys

import kubernetes_validate

asked = json.load(sys.stdin)
problems = []
for thing in asked["objects"]:
    name = f'{thing.get("kind")} {thing.get("metadata", {}).get("name")}'
    try:
        # strict: a field that no schema knows is a mistake of ours.
        kubernetes_validate.validate(thing, asked["version"], strict=True)
    except kubernetes_validate.ValidationError as error:
        problems.append(f'{name}: {".".join(str(part) for part in error.path)}: {error.message}')
    except kubernetes_validate.SchemaNotFoundError as error:
        problems.append(f"{name}: no schema: {error}")
json.dump(problems, sys.stdout)
