"""The part of the S3 protocol that an object-store client speaks: objects, ranges, multipart, listings.

Keeps everything in memory. It checks that requests name the access key, not their signatures.
Protocol: the Amazon S3 API reference, version 2006-03-01.
"""

import hashlib
import re
import sys
import uuid
from email.utils import formatdate
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ACCESS_KEY_ID = "test-key"
MODIFIED = formatdate(0, usegmt=True)

buckets: dict[str, dict[str, bytes]] = {}
uploads: dict[str, dict[int, bytes]] = {}


async def bucket(request: Request) -> Response:
    name = request.path_params["bucket"]
    if request.method == "PUT":
        buckets[name] = {}
        return Response()
    if not _signed(request):
        return _error(403, "AccessDenied")
    if name not in buckets:
        return _error(404, "NoSuchBucket")
    if request.method == "POST" and "delete" in request.query_params:
        return _delete_many(name, await request.body())
    return _list(name, request)


def _delete_many(name: str, body: bytes) -> Response:
    keys = [
        element.text or "" for element in ElementTree.fromstring(body).iter() if element.tag.endswith("Key")
    ]
    for key in keys:
        buckets[name].pop(key, None)
    deleted = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
    return _xml(f"<DeleteResult>{deleted}</DeleteResult>")


def _list(name: str, request: Request) -> Response:
    prefix, after = request.query_params.get("prefix", ""), request.query_params.get("start-after", "")
    found = sorted(key for key in buckets[name] if key.startswith(prefix) and key > after)
    delimiter = request.query_params.get("delimiter")
    folders = (
        sorted(
            {key[: key.index(delimiter, len(prefix)) + 1] for key in found if delimiter in key[len(prefix) :]}
        )
        if (delimiter)
        else []
    )
    files = [key for key in found if not any(key.startswith(folder) for folder in folders)]
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>1970-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>{_etag(buckets[name][key])}</ETag><Size>{len(buckets[name][key])}</Size></Contents>"
        for key in files
    )
    common = "".join(
        f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in folders
    )
    return _xml(f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}{common}</ListBucketResult>")


async def stored(request: Request) -> Response:
    name, key = request.path_params["bucket"], request.path_params["key"]
    if not _signed(request):
        return _error(403, "AccessDenied")
    if name not in buckets:
        return _error(404, "NoSuchBucket")
    if "uploads" in request.query_params or "uploadId" in request.query_params:
        return await _multipart(name, key, request)
    if request.method == "PUT":
        return _put(name, key, request, await request.body())
    if request.method == "DELETE":
        buckets[name].pop(key, None)
        return Response(status_code=204)
    if key not in buckets[name]:
        return _error(404, "NoSuchKey")
    return _get(buckets[name][key], request.headers.get("range", ""))


async def _multipart(name: str, key: str, request: Request) -> Response:
    if "uploads" in request.query_params:
        upload = uuid.uuid4().hex
        uploads[upload] = {}
        return _xml(
            f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
        )
    upload = request.query_params["uploadId"]
    if upload not in uploads:
        return _error(404, "NoSuchUpload")
    if request.method == "PUT":
        part = await request.body()
        uploads[upload][int(request.query_params["partNumber"])] = part
        return Response(headers={"ETag": _etag(part)})
    parts = uploads.pop(upload)
    if request.method == "DELETE":
        return Response(status_code=204)
    buckets[name][key] = b"".join(content for _, content in sorted(parts.items()))
    result = f"<ETag>{_etag(buckets[name][key])}</ETag>"
    return _xml(f"<CompleteMultipartUploadResult>{result}</CompleteMultipartUploadResult>")


def _put(name: str, key: str, request: Request, body: bytes) -> Response:
    if request.headers.get("if-none-match") == "*" and key in buckets[name]:
        return _error(412, "PreconditionFailed")
    source = request.headers.get("x-amz-copy-source")
    if source:
        source_bucket, _, source_key = source.lstrip("/").partition("/")
        if source_key not in buckets.get(source_bucket, {}):
            return _error(404, "NoSuchKey")
        body = buckets[source_bucket][source_key]
    buckets[name][key] = body
    return _xml(f"<CopyObjectResult><ETag>{_etag(body)}</ETag></CopyObjectResult>", etag=_etag(body))


def _get(content: bytes, wanted: str) -> Response:
    headers = {"ETag": _etag(content), "Last-Modified": MODIFIED, "Accept-Ranges": "bytes"}
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
    if not match:
        return Response(content, headers=headers)
    first, last = match.groups()
    start = int(first) if first else max(0, len(content) - int(last))
    end = min(int(last), len(content) - 1) if first and last else len(content) - 1
    if start > end:
        return _error(416, "InvalidRange")
    headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return Response(content[start : end + 1], status_code=206, headers=headers)


def _signed(request: Request) -> bool:
    told = request.headers.get("authorization", "") + request.query_params.get("X-Amz-Credential", "")
    return f"{ACCESS_KEY_ID}/" in told


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _xml(content: str, *, etag: str = "") -> Response:
    return Response(content, media_type="application/xml", headers={"ETag": etag} if etag else {})


def _error(status: int, code: str) -> Response:
    body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return Response(body, status_code=status, media_type="application/xml")


app = Starlette(
    routes=[
        Route("/{bucket}", bucket, methods=["PUT", "POST", "GET"]),
        Route("/{bucket}/{key:path}", stored, methods=["PUT", "POST", "GET", "HEAD", "DELETE"]),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
