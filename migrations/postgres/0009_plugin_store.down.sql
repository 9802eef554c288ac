DROP TABLE plugin_store;
