-- The order of a feed; id breaks ties, so that cursors are exact.
CREATE INDEX tv_post_created_at_idx ON tv_post (created_at DESC, id)
