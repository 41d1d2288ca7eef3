# Search entries and saved views.

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('supervision', '0006_sweep_indexes'),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('item', 'Items'), ('clause', 'Clauses'), ('milestone', 'Milestones'), ('return', 'Returns'), ('extension', 'Extension requests'), ('objection', 'Objections')], max_length=12, verbose_name='kind')),
                ('subject_uid', models.UUIDField(editable=False, unique=True)),
                ('label', models.CharField(blank=True, max_length=20, verbose_name='period')),
                ('subject_date', models.DateField(null=True, verbose_name='date')),
                ('title', models.CharField(blank=True, max_length=200, verbose_name='title')),
                ('text', models.TextField(blank=True, verbose_name='text')),
                ('title_key', models.TextField(blank=True, editable=False)),
                ('key', models.TextField(editable=False)),
                ('assignment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='search_entries', to='supervision.assignment')),
                ('item', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='search_entries', to='supervision.supervisionitem')),
            ],
            options={
                'verbose_name': 'search entry',
                'verbose_name_plural': 'search entries',
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=40, verbose_name='name')),
                ('page', models.CharField(choices=[('items', 'Items'), ('matrix', 'Matrix'), ('ledger', 'Ledger')], max_length=10, verbose_name='page')),
                ('query', models.CharField(blank=True, max_length=500, verbose_name='filters')),
                ('is_shared', models.BooleanField(default=False, verbose_name='shared with the office')),
                ('created_at', models.DateTimeField(editable=False, verbose_name='created at')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'saved view',
                'verbose_name_plural': 'saved views',
                'indexes': [models.Index(condition=models.Q(('is_shared', True)), fields=['page'], name='saved_view_shared')],
                'constraints': [models.UniqueConstraint(fields=('owner', 'page', 'name'), name='saved_view_name')],
            },
        ),
    ]
