"""The verifier: runs beside the app and is the only code that writes verdicts.

    python3 -s -P -m verifier behaviour|replay|restart|inspect|contract <job folder>

It is sent as plain files into its own sandbox, so it imports nothing else of the harness and needs
only the standard library, pytest and httpx (the latter for the hidden tests). The verdict is one
JSON document on the last line of stdout. A phase that cannot give a verdict exits with code 3 and
one line on stderr; everything an agent can cause is a verdict, not an error.

    behaviour   plays the hidden tests against the app            -> behaviour
    replay      plays request sequences, compares or records      -> equivalence
    restart     asks again what the replay asked last             -> equivalence
    inspect     parses both trees: predicates, tampering, how     -> structure, integrity
                much was changed and what it made of the code
    contract    compares the OpenAPI documents of base and tree   -> contract
"""
