"""Lambda without Docker: AWS's own runtime client runs the uploaded zip and layers in a child process.

As in AWS, boto3 is available to every function; a boto3 in the function's code or layers is used instead.

code.py unpacks zips, environment.py makes the process's environment, bootstrap.py is the script that it runs,
runtime_api.py is its Runtime API, process.py is one warm process, pool.py the processes of one function, output.py,
platform_log.py and logs.py handle what is printed and logged, and service.py is `lambda:Invoke`.
"""
