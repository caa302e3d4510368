"""The loom: one app's sources, woven into its arms.

spec        what `app/app.yaml` may say
sources     what the domain code says: services, records, ports, who calls whom
domain      the domain code as it stands in each arm
stores      the repositories
schemas     what requests carry and what answers wrap
routes      the public API
wire        calls between programs: clients, and what answers them
arms        each arm as a tree of files
pairfile    pair.yaml
loom        weave, check, and the patches of overlays
"""

from harness.pairs.weave.loom import Woven, overlay_patches, read_app, weave

__all__ = ["Woven", "overlay_patches", "read_app", "weave"]
