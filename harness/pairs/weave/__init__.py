"""The loom: one app's sources, woven into its arms.

spec        what `app/app.yaml` may say
sources     what the domain code says: services, records, ports, who calls whom
reading     the sources of an app, read and checked
checks      what must hold between app.yaml and the domain code, subject by subject:
  names       which names are free
  failures    errors and the codes of refusals
  stored      tables and queries
  crossing    what contexts ask of one another and of their stores
  models      bodies and answers
  operations  calls and routes
  couplings   what each kind of coupling says
expressions expressions of app.yaml and calls, as the checks read them
domain      the domain code as it stands in each arm
stores      the repositories
schemas     what requests carry and what answers wrap
routes      the public API
wire        calls between programs: clients, and what answers them
trees       what the arms are made with: templates, names of tables
one_program what the arms of one program have in common
monolith    the tangled arm
modular     the modular arm
microservices
            the arm of services
arms        the arms by name
pairfile    pair.yaml
formatting  Python as ruff writes it
overlays    changes of the sources, as a patch for each arm
faults      what can be wrong at a place of the domain code
mutants     the domain code with one fault in it, to see whether a suite tells
loom        weave and check
size        contexts of other apps beside an app's own
variants    an app at another dose of couplings
"""

from harness.pairs.weave.loom import Woven, weave, weave_variants
from harness.pairs.weave.mutants import Mutant, choose_mutants, find_mutants
from harness.pairs.weave.overlays import Overlay, overlay_patches
from harness.pairs.weave.reading import read_app
from harness.pairs.weave.sources import App
from harness.pairs.weave.variants import at_dose

__all__ = [
    "App",
    "Mutant",
    "Overlay",
    "Woven",
    "at_dose",
    "choose_mutants",
    "find_mutants",
    "overlay_patches",
    "read_app",
    "weave",
    "weave_variants",
]
