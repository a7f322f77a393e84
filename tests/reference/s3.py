"""A server that speaks S3, for tests: moto's, with a user, keys that are checked, and the bucket `store`.

Prints one line of JSON with its address and keys. Reads commands, `damage KEY`, and ends when its standard input does.
"""

import json
import os
import sys

# The first calls make the user; all others must be signed by one.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import logging

import boto3
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"


def client(name, key="first", secret="first"):
    return boto3.client(
        name, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret
    )


iam = client("iam")
iam.create_user(UserName="tests")
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="tests", PolicyName="all", PolicyDocument=json.dumps(policy))
keys = iam.create_access_key(UserName="tests")["AccessKey"]
client("s3").create_bucket(Bucket="store")
print(json.dumps({"endpoint": endpoint, "key": keys["AccessKeyId"], "secret": keys["SecretAccessKey"]}), flush=True)
store = client("s3", keys["AccessKeyId"], keys["SecretAccessKey"])
for line in sys.stdin:
    command, key = line.split()
    assert command == "damage", line
    body = bytearray(store.get_object(Bucket="store", Key=key)["Body"].read())
    body[len(body) // 2] ^= 1
    store.put_object(Bucket="store", Key=key, Body=bytes(body))
    print("done", flush=True)
os._exit(0)
