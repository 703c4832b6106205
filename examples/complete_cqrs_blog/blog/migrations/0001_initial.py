"""The blog's tables, views, projections that store their documents, and functions that write."""

from django.db import migrations

from fraiseql.operations import RunSQLFile

FUNCTIONS = (
    "fn_sync_tv_post",
    "fn_create_post",
    "fn_update_post",
    "fn_delete_post",
    "fn_create_comment",
    "fn_update_comment",
    "fn_delete_comment",
)


class Migration(migrations.Migration):
    initial = True
    dependencies = ()
    operations = (
        RunSQLFile("tables/tb_user.sql", reverse="DROP TABLE tb_user"),
        RunSQLFile("tables/tb_post.sql", reverse="DROP TABLE tb_post"),
        RunSQLFile("tables/tb_post_fk_user_idx.sql", reverse="DROP INDEX tb_post_fk_user_idx"),
        RunSQLFile("tables/tb_comment.sql", reverse="DROP TABLE tb_comment"),
        RunSQLFile(
            "tables/tb_comment_fk_post_idx.sql", reverse="DROP INDEX tb_comment_fk_post_idx"
        ),
        RunSQLFile(
            "tables/tb_comment_fk_user_idx.sql", reverse="DROP INDEX tb_comment_fk_user_idx"
        ),
        RunSQLFile("views/v_user.sql", reverse="DROP VIEW v_user"),
        RunSQLFile("views/v_comment.sql", reverse="DROP VIEW v_comment"),
        RunSQLFile("views/v_post.sql", reverse="DROP VIEW v_post"),
        RunSQLFile("projections/tv_user.sql", reverse="DROP TABLE tv_user"),
        RunSQLFile("projections/tv_post.sql", reverse="DROP TABLE tv_post"),
        RunSQLFile(
            "projections/tv_post_created_at_idx.sql", reverse="DROP INDEX tv_post_created_at_idx"
        ),
        RunSQLFile(
            "projections/tv_post_author_id_idx.sql", reverse="DROP INDEX tv_post_author_id_idx"
        ),
        *(
            RunSQLFile(f"functions/{name}.sql", reverse=f"DROP FUNCTION {name}")
            for name in FUNCTIONS
        ),
    )
