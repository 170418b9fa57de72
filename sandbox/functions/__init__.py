"""Lambda without Docker: the uploaded zip and layers, run by AWS's own runtime client in a child process.

A function finds boto3 even if it brings none, as in AWS; one in its code or its layers is used instead.

code.py unpacks, environment.py says what the process sees, bootstrap.py is its first line, runtime_api.py is
the Runtime API it talks to, process.py is one warm process, pool.py the processes of one function, logs.py
where their output goes, and service.py is `lambda:Invoke`.
"""
