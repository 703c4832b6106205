-- The order of a feed, newest first when read backwards; id breaks ties the same way, so that cursors are exact.
CREATE INDEX tv_post_created_at_idx ON tv_post (created_at, id)
