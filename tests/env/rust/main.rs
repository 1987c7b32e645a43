//! A day of iceberg-rust: each step as a JSON line with its name and what it gave.
use std::collections::HashMap;
use std::env::var;
use std::error::Error;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use futures::TryStreamExt;
use iceberg::arrow::schema_to_arrow_schema;
use iceberg::spec::{DataFileFormat, NestedField, PrimitiveType, Schema, Type};
use iceberg::transaction::{ApplyTransactionAction, Transaction};
use iceberg::writer::base_writer::data_file_writer::DataFileWriterBuilder;
use iceberg::writer::file_writer::ParquetWriterBuilder;
use iceberg::writer::file_writer::location_generator::{
    DefaultFileNameGenerator, DefaultLocationGenerator,
};
use iceberg::writer::file_writer::rolling_writer::RollingFileWriterBuilder;
use iceberg::writer::{IcebergWriter, IcebergWriterBuilder};
use iceberg::{Catalog, CatalogBuilder, NamespaceIdent, TableCreation, TableIdent};
use iceberg_catalog_rest::RestCatalogBuilder;
use iceberg_storage_opendal::OpenDalStorageFactory;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

type Outcome = Result<Value, Box<dyn Error>>;

fn tell(name: &str, outcome: Outcome) {
    let told = outcome.unwrap_or_else(|e| json!(format!("failed: {e:?}")));
    println!("{}", json!([name, told]));
}

async fn attach() -> Result<impl Catalog, Box<dyn Error>> {
    let uri = var("URI")?;
    let settings = HashMap::from([
        ("uri".to_string(), uri.clone()),
        ("warehouse".to_string(), "analytics".to_string()),
        ("credential".to_string(), var("CREDENTIAL")?),
        ("scope".to_string(), var("SCOPE")?),
        ("oauth2-server-uri".to_string(), uri + "/v1/oauth/tokens"),
        (
            "header.x-iceberg-access-delegation".to_string(),
            "vended-credentials".to_string(),
        ),
    ]);
    let store = OpenDalStorageFactory::S3 {
        customized_credential_load: None,
    };
    Ok(RestCatalogBuilder::default()
        .with_storage_factory(Arc::new(store))
        .load("desk", settings)
        .await?)
}

async fn create(catalog: &impl Catalog, name: &TableIdent) -> Outcome {
    let id = NestedField::required(1, "id", Type::Primitive(PrimitiveType::Long));
    let schema = Schema::builder().with_fields([Arc::new(id)]).build()?;
    let wanted = TableCreation::builder()
        .name(name.name().to_string())
        .schema(schema)
        .build();
    Ok(json!(
        catalog
            .create_table(name.namespace(), wanted)
            .await?
            .identifier()
            .name()
    ))
}

async fn append(catalog: &impl Catalog, name: &TableIdent, ids: Vec<i64>) -> Outcome {
    let table = catalog.load_table(name).await?;
    let schema = table.metadata().current_schema();
    let files = RollingFileWriterBuilder::new_with_default_file_size(
        ParquetWriterBuilder::new(WriterProperties::default(), schema.clone()),
        table.file_io().clone(),
        DefaultLocationGenerator::new(table.metadata())?,
        DefaultFileNameGenerator::new(ids[0].to_string(), None, DataFileFormat::Parquet),
    );
    let mut writer = DataFileWriterBuilder::new(files).build(None).await?;
    let columns = Arc::new(schema_to_arrow_schema(schema)?);
    writer
        .write(RecordBatch::try_new(
            columns,
            vec![Arc::new(Int64Array::from(ids))],
        )?)
        .await?;
    let transaction = Transaction::new(&table);
    let append = transaction
        .fast_append()
        .add_data_files(writer.close().await?);
    let table = append.apply(transaction)?.commit(catalog).await?;
    Ok(json!(table.metadata().snapshots().count()))
}

async fn read(catalog: &impl Catalog, name: &TableIdent) -> Outcome {
    let table = catalog.load_table(name).await?;
    let batches: Vec<RecordBatch> = table
        .scan()
        .select(["id"])
        .build()?
        .to_arrow()
        .await?
        .try_collect()
        .await?;
    let mut ids: Vec<i64> = batches
        .iter()
        .flat_map(|batch| {
            batch
                .column(0)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec()
        })
        .collect();
    ids.sort();
    Ok(json!(ids.iter().map(|id| [id]).collect::<Vec<_>>()))
}

/// Writes with the key of one table below another one.
async fn outside(catalog: &impl Catalog, own: &TableIdent, other: &TableIdent) -> Outcome {
    let place = catalog
        .load_table(other)
        .await?
        .metadata()
        .location()
        .to_string();
    let file = catalog
        .load_table(own)
        .await?
        .file_io()
        .new_output(place + "/data/foreign")?;
    file.write("x".into()).await?;
    Ok(Value::Null)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let catalog = attach().await?;
    let space = NamespaceIdent::new("rust".to_string());
    let (t, sales) = (TableIdent::from_strs(["rust", "t"])?, |name| {
        TableIdent::from_strs(["sales", name])
    });
    let made = catalog.create_namespace(&space, HashMap::new()).await;
    tell(
        "create namespace",
        made.map(|_| Value::Null).map_err(Into::into),
    );
    tell("create", create(&catalog, &t).await);
    tell("append", append(&catalog, &t, vec![1, 2]).await);
    tell("append again", append(&catalog, &t, vec![3]).await);
    tell("read", read(&catalog, &t).await);
    let dropped = catalog.drop_table(&t).await;
    tell("drop", dropped.map(|_| Value::Null).map_err(Into::into));
    tell("own", read(&catalog, &sales("own")?).await);
    tell("crossing", read(&catalog, &sales("crossing")?).await);
    tell(
        "write outside",
        outside(&catalog, &sales("own")?, &sales("victim")?).await,
    );
    Ok(())
}
