"""`python -m acceptance --hub PROFILE --target PROFILE`: our promises, tried in two accounts of AWS or of the sandbox.

It deploys a copy of the project into the hub and role-template.yaml into the target, under a name that is new each
time, and touches nothing else there. At the end everything of that name is deleted.

    promises   what is promised, one function each, in the order in which they are tried
    trial      one run: two accounts, a name, the app in the hub and the role in the target
    remains    what of that name is there, and how it is deleted
"""
