"""The profiles of the rollout and the terms of judgement, as YAML; installed as `botproof.profiles`."""
