"""
The blog's database, written by ``manage.py fraiseql_migrate make``; only what Grafana may read was added by hand.

``manage.py migrate blog zero`` takes it all back.
"""

from django.db import migrations

from fraiseql.operations import (
    CreateFunction,
    CreateIndex,
    CreateProjection,
    CreateTable,
    CreateView,
    RunSQLFile,
)


class Migration(migrations.Migration):
    initial = True
    dependencies = (("fraiseql", "0001_sync_log"),)
    operations = (
        CreateTable("tables/tb_user.sql", version=1),
        CreateTable("tables/tb_post.sql", version=1),
        CreateTable("tables/tb_comment.sql", version=1),
        CreateIndex("tables/tb_comment_fk_post_idx.sql", version=1),
        CreateIndex("tables/tb_comment_fk_user_idx.sql", version=1),
        CreateIndex("tables/tb_post_fk_user_idx.sql", version=1),
        CreateView("views/v_user.sql", version=1),
        CreateView("views/v_comment.sql", version=1),
        CreateProjection("projections/tv_comment.sql", version=1, source="v_comment"),
        CreateIndex("projections/tv_comment_created_at_idx.sql", version=1),
        CreateView("views/v_post.sql", version=1),
        CreateProjection("projections/tv_post.sql", version=1, source="v_post"),
        CreateIndex("projections/tv_post_author_id_idx.sql", version=1),
        CreateIndex("projections/tv_post_created_at_idx.sql", version=1),
        CreateProjection("projections/tv_user.sql", version=1, source="v_user"),
        CreateFunction("functions/fn_sync_tv_comment.sql", version=1),
        CreateFunction("functions/fn_sync_tv_post.sql", version=1),
        CreateFunction("functions/fn_create_comment.sql", version=1),
        CreateFunction("functions/fn_create_post.sql", version=1),
        CreateFunction("functions/fn_sync_tv_user.sql", version=1),
        CreateFunction("functions/fn_create_user.sql", version=1),
        CreateFunction("functions/fn_delete_comment.sql", version=1),
        CreateFunction("functions/fn_delete_post.sql", version=1),
        CreateFunction("functions/fn_delete_user.sql", version=1),
        CreateFunction("functions/fn_publish_post.sql", version=1),
        CreateFunction("functions/fn_update_comment.sql", version=1),
        CreateFunction("functions/fn_update_post.sql", version=1),
        CreateFunction("functions/fn_update_user.sql", version=1),
        RunSQLFile("grants/grafana.sql", reverse=migrations.RunSQL.noop),
    )
