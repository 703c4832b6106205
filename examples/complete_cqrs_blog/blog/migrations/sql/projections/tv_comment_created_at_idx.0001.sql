-- The order of "newest comments"; id breaks ties the same way, so that cursors are exact.
CREATE INDEX tv_comment_created_at_idx ON tv_comment (created_at, id)
