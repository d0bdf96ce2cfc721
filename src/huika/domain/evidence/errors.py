"""Why `evidence` refuses."""

from huika.kit.refusals import Refusal


class ReceiptNotVerified(Refusal):
    code, status = "receipt_not_verified", 422
    zh, en = "这份存证没有通过核对：{why}", "The receipt does not verify: {why}"


class ReceiptNotReady(Refusal):
    code, status = "receipt_not_ready", 409
    zh, en = "存证还在写入，稍等几秒", "The record is still being sealed; try again in a few seconds."


class LogForked(Refusal):
    code, status = "log_forked", 409
    zh, en = "公开的日志和数据库在第 {place} 条不一样，拒绝签名", "Log and database differ at leaf {place}."


class LogTooLong(Refusal):
    code, status = "log_longer_than_database", 409
    zh, en = "公开的日志比数据库长，拒绝签名", "The published log is longer than the database knows; refusing to sign."
